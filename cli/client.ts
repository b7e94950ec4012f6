import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { DEFAULT_HOST } from './context.js';
import { explainTls, parseHost, type TlsFiles } from './daemon-host.js';
import { HttpExchange, textOf, type Question } from './http-exchange.js';
import { BaleError, errorCode, errorMessage, type ErrorKind } from '../core/errors.js';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The Engine API of one daemon. Failures are BaleErrors worded as docker's CLI words them. */
export class ApiClient {
  readonly host: string;
  readonly #daemon: HttpExchange;

  /** `tlsFiles` is asked for a host on another machine only. */
  constructor(host: string, tlsFiles: () => TlsFiles) {
    this.host = host;
    this.#daemon = new HttpExchange(parseHost(host, DEFAULT_HOST), tlsFiles);
  }

  /** T is the document that the Engine API defines for this path; the daemon is trusted to answer in it. */
  get<T>(path: string, query: Query = {}, extra: CallOptions = {}): Promise<T> {
    return this.#call('GET', path, query, undefined, extra) as Promise<T>;
  }

  post<T>(path: string, body?: unknown, query: Query = {}, extra: CallOptions = {}): Promise<T> {
    return this.#call('POST', path, query, body, extra) as Promise<T>; // see `get`
  }

  /** The bytes of an answer as they come; it is destroyed when they break off. */
  stream(path: string, query: Query = {}): Promise<Readable> {
    return this.open('GET', path, query);
  }

  async delete(path: string, query: Query = {}): Promise<void> {
    await this.#call('DELETE', path, query, undefined, {});
  }

  /** An answer while it comes: its head is there, its body is the caller's to read or to destroy. */
  async open(
    method: 'GET' | 'HEAD' | 'POST',
    path: string,
    query: Query = {},
    extra: CallOptions = {},
  ): Promise<IncomingMessage> {
    return this.#explained(async () => accepted(await this.#daemon.ask(question(method, path, query, extra))));
  }

  /** Leaves HTTP: what comes back is a pipe to the process, whose directions end by themselves. */
  async hijack(path: string, query: Query = {}, body?: unknown, extra: CallOptions = {}): Promise<Duplex> {
    return this.#explained(async () => {
      const upgraded = await this.#daemon.upgrade({
        ...question('POST', path, query, extra),
        ...(body === undefined ? {} : { body: { document: body } }),
      });
      if ('connection' in upgraded) return upgraded.connection;
      await accepted(upgraded.answer);
      upgraded.answer.destroy();
      throw new RefusedAnswer(upgraded.answer.statusCode ?? 0, 'it did not hand the connection over');
    });
  }

  /** Sends an archive as it is made. */
  async upload(path: string, query: Query, archive: Readable, extra: CallOptions = {}): Promise<void> {
    await this.#explained(async () => {
      await readDocument(await this.#daemon.ask({ ...question('PUT', path, query, extra), body: { archive } }));
    });
  }

  #call(method: string, path: string, query: Query, body: unknown, extra: CallOptions): Promise<unknown> {
    return this.#explained(async () =>
      readDocument(
        await this.#daemon.ask({
          ...question(method, path, query, extra),
          ...(body === undefined ? {} : { body: { document: body } }),
        }),
      ),
    );
  }

  async #explained<T>(exchange: () => Promise<T>): Promise<T> {
    try {
      return await exchange();
    } catch (error) {
      throw this.#explain(error);
    }
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
    if (UNREACHABLE.has(socketError ?? '')) {
      return new BaleError(`Cannot connect to the bale daemon at ${this.host}: ${errorMessage(error)}`, {
        kind: 'unavailable',
        code: 'BALE_DAEMON_UNREACHABLE',
        cause: error,
      });
    }
    if (socketError === 'ECONNRESET' || socketError === 'EPIPE') {
      return new BaleError(
        `the bale daemon at ${this.host} broke off before its answer was whole (${errorMessage(error)}): ` +
          'what was asked for may have been done, look before you try again',
        { kind: 'unavailable', code: 'BALE_DAEMON_BROKE_OFF', cause: error },
      );
    }
    // The Engine's texts name a gRPC status, which tells a person nothing.
    const message = errorMessage(error).replace(/^rpc error: code = \w+ desc = /, '');
    return new BaleError(`Error response from daemon: ${message}`, {
      kind: kindOf(error instanceof RefusedAnswer ? error.status : 0),
      code: 'BALE_DAEMON_ERROR',
      cause: error,
    });
  }
}

/** Why a daemon on another machine cannot be reached, in the words of the system. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  ...['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ETIMEDOUT'],
]);

function question(method: string, path: string, query: Query, { headers = {}, signal }: CallOptions): Question {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  const search = given.toString();
  return { method, path: search === '' ? path : `${path}?${search}`, headers, signal };
}

/** The daemon answered, and not with what was asked for; the message is its own. */
class RefusedAnswer extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const DONE = [200, 201, 204];

/** The answer, of which only the head was read. Throws RefusedAnswer, with the whole body read, for any other status. */
async function accepted(answer: IncomingMessage): Promise<IncomingMessage> {
  const { statusCode = 0 } = answer;
  if (DONE.includes(statusCode)) return answer;
  throw new RefusedAnswer(statusCode, messageOf(await textOf(answer)));
}

/** An answer that is no JSON (an empty one, or a text) stays a text. */
async function readDocument(answer: IncomingMessage): Promise<unknown> {
  return parsed(await textOf(await accepted(answer)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The `message` of the daemon's own answer; older ways to say it are passed on as they are. */
function messageOf(text: string): string {
  const document = parsed(text);
  if (typeof document === 'object' && document !== null && 'message' in document) return String(document.message);
  return text;
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
