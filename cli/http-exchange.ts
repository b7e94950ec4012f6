import { request as overSocket, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { DaemonHost, TlsFiles } from './daemon-host.js';

/** One question to the daemon. */
export interface Question {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A document is sent as JSON, a stream (a tar archive) as it comes. */
  readonly body?: { readonly document: unknown } | { readonly archive: Readable };
  readonly signal?: AbortSignal | undefined;
}

/**
 * HTTP to one daemon. A library is not used: dockerode takes longer to load than a whole command
 * otherwise does, for it brings gRPC and SSH along.
 */
export class HttpExchange {
  readonly #address: RequestOptions & { readonly servername?: string };
  readonly #isRemote: boolean;

  /** `tlsFiles` is asked for a host on another machine only. */
  constructor(daemon: DaemonHost, tlsFiles: () => TlsFiles) {
    this.#isRemote = daemon.kind === 'tcp';
    this.#address =
      daemon.kind === 'socket'
        ? // Without a name for TLS, Node makes out whether `localhost` is an address, which takes it milliseconds.
          { socketPath: daemon.path, servername: '' }
        : { host: daemon.host, port: daemon.port, ...tlsFiles() };
  }

  /** Resolves with the head of the answer, whatever its status; its body is the caller's to read or to destroy. */
  async ask(question: Question): Promise<IncomingMessage> {
    const request = await this.#begin(question, {});
    return new Promise((resolve, reject) => {
      request.on('response', resolve);
      request.on('error', reject);
      sendBody(request, question);
    });
  }

  /** Leaves HTTP: resolves with the bare connection, or with the answer of a daemon that did not leave it. */
  async upgrade(question: Question): Promise<{ readonly connection: Duplex } | { readonly answer: IncomingMessage }> {
    const request = await this.#begin(question, { Connection: 'Upgrade', Upgrade: 'tcp' });
    return new Promise((resolve, reject) => {
      request.on('upgrade', (_answer, connection: Duplex, head) => {
        if (head.length > 0) connection.unshift(head);
        resolve({ connection });
      });
      request.on('response', (answer) => {
        resolve({ answer });
      });
      request.on('error', reject);
      sendBody(request, question);
    });
  }

  async #begin(
    { method, path, headers, body, signal }: Question,
    more: Record<string, string>,
  ): Promise<ClientRequest> {
    const options = {
      ...{ ...this.#address, method, path, headers: { ...headers, ...typeOf(body), ...more } },
      ...(signal === undefined ? {} : { signal }),
    };
    if (!this.#isRemote) return overSocket(options);
    const { request: overTls } = await import('node:https');
    return overTls(options);
  }
}

/** The whole body of an answer. Rejects when it breaks off. */
export function textOf(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      text += chunk;
    });
    answer.on('end', () => {
      resolve(text);
    });
    answer.on('error', reject);
  });
}

function typeOf(body: Question['body']): Record<string, string> {
  if (body === undefined) return {};
  return { 'Content-Type': 'document' in body ? 'application/json' : 'application/tar' };
}

function sendBody(request: ClientRequest, { body }: Question): void {
  if (body === undefined) request.end();
  else if ('document' in body) request.end(JSON.stringify(body.document));
  else {
    body.archive.on('error', (error) => request.destroy(error));
    body.archive.pipe(request);
  }
}
