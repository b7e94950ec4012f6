import Docker from 'dockerode';
import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { DEFAULT_HOST } from './context.js';
import { explainTls, parseHost, type TlsFiles } from './daemon-host.js';
import { BaleError, errorCode, errorMessage, type ErrorKind } from '../core/errors.js';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The Engine API of one daemon. Failures are BaleErrors worded as docker's CLI words them. */
export class ApiClient {
  readonly host: string;
  readonly #docker: Docker;

  /** `tlsFiles` is asked for a host on another machine only. */
  constructor(host: string, tlsFiles: () => TlsFiles) {
    const daemon = parseHost(host, DEFAULT_HOST);
    this.host = host;
    this.#docker = withoutDockerHost(() =>
      daemon.kind === 'socket'
        ? new Docker({ socketPath: daemon.path })
        : new Docker({ protocol: 'https', host: daemon.host, port: daemon.port, ...tlsFiles() }),
    );
  }

  /** T is the document that the Engine API defines for this path; the daemon is trusted to answer in it. */
  get<T>(path: string, query: Query = {}, extra: CallOptions = {}): Promise<T> {
    return this.#call<T>('GET', path, query, undefined, extra);
  }

  post<T>(path: string, body?: unknown, query: Query = {}, extra: CallOptions = {}): Promise<T> {
    return this.#call<T>('POST', path, query, body, extra);
  }

  /** The bytes of an answer as they come; it is destroyed when they break off. */
  stream(path: string, query: Query = {}): Promise<Readable> {
    return this.open('GET', path, query);
  }

  async delete(path: string, query: Query = {}): Promise<void> {
    await this.#call<unknown>('DELETE', path, query);
  }

  /** An answer while it comes: its head is there, its body is the caller's to read or to destroy. */
  open(
    method: 'GET' | 'HEAD' | 'POST',
    path: string,
    query: Query = {},
    extra?: CallOptions,
  ): Promise<IncomingMessage> {
    // docker-modem gives an answer that was asked for as a stream as it got it from node:http.
    return this.#dial(method, path, query, undefined, extra, { isStream: true }) as Promise<IncomingMessage>;
  }

  /** Leaves HTTP: what comes back is a pipe to the process, whose directions end by themselves. */
  hijack(path: string, query: Query = {}, body?: unknown, extra?: CallOptions): Promise<Duplex> {
    // docker-modem gives the socket of a request that was upgraded.
    return this.#dial('POST', path, query, body, extra, { hijack: true }) as Promise<Duplex>;
  }

  /** Sends an archive as it is made. */
  async upload(path: string, query: Query, archive: Readable, extra?: CallOptions): Promise<void> {
    await this.#dial('PUT', path, query, undefined, extra, { file: archive });
  }

  #call<T>(method: string, path: string, query: Query, body?: unknown, extra?: CallOptions): Promise<T> {
    return this.#dial(method, path, query, body, extra, {}) as Promise<T>; // see `get`
  }

  #dial(
    method: string,
    path: string,
    query: Query,
    body: unknown,
    { headers = {}, signal }: CallOptions = {},
    form: { readonly isStream?: boolean; readonly hijack?: boolean; readonly file?: Readable },
  ): Promise<unknown> {
    const _query = Object.fromEntries(
      Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    );
    const statusCodes = { 200: true, 201: true, 204: true };
    // The `?` makes docker-modem append `_query`; an empty `_body` is sent as no body.
    const options = { _query, _body: body ?? {} };
    return new Promise((resolve, reject) => {
      const call = {
        ...{ path: `${path}?`, method, options, statusCodes, headers: { ...headers }, ...form },
        ...(signal === undefined ? {} : { abortSignal: signal }),
      };
      this.#docker.modem.dial(call, (error: unknown, data: unknown) => {
        if (error !== null && error !== undefined) reject(this.#explain(error));
        else resolve(data);
      });
    });
  }

  #explain(error: unknown): BaleError {
    const socketError = errorCode(error);
    const tls = explainTls(error, this.host);
    if (tls !== undefined) return new BaleError(tls, { kind: 'unavailable', code: 'BALE_DAEMON_TLS', cause: error });
    if (socketError === 'EACCES') {
      return new BaleError(
        `permission denied while trying to connect to the bale daemon at ${this.host}; run as root or as a member of the group docker`,
        { kind: 'unavailable', code: 'BALE_DAEMON_PERMISSION', cause: error },
      );
    }
    if (socketError === 'ENOENT' || socketError === 'ECONNREFUSED') {
      return new BaleError(`Cannot connect to the bale daemon at ${this.host}. Is the bale daemon running?`, {
        kind: 'unavailable',
        code: 'BALE_DAEMON_UNREACHABLE',
        cause: error,
      });
    }
    // The Engine's texts name a gRPC status, which tells a person nothing.
    const message = responseMessage(error).replace(/^rpc error: code = \w+ desc = /, '');
    return new BaleError(`Error response from daemon: ${message}`, {
      kind: kindOf(statusOf(error)),
      code: 'BALE_DAEMON_ERROR',
      cause: error,
    });
  }
}

/** docker-modem prefers this variable to what it is told, and reads the files that go with it. */
function withoutDockerHost<T>(make: () => T): T {
  const { DOCKER_HOST } = process.env;
  delete process.env.DOCKER_HOST;
  try {
    return make();
  } finally {
    if (DOCKER_HOST !== undefined) process.env.DOCKER_HOST = DOCKER_HOST;
  }
}

function statusOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 0;
}

/** The `message` of the daemon's own answer, without what dockerode puts around it. */
function responseMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'json' in error) {
    const { json } = error;
    if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message);
  }
  // Of an answer that was asked for as a stream dockerode keeps the text alone.
  return errorMessage(error).replace(/^\(HTTP code \d+\) [a-z ]+ - (.*) $/s, '$1');
}

function kindOf(status: number): ErrorKind {
  switch (status) {
    case 400:
      return 'invalid';
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 409:
      return 'conflict';
    case 413:
      return 'too-large';
    case 501:
      return 'unimplemented';
    case 503:
      return 'unavailable';
    default:
      return 'internal';
  }
}
