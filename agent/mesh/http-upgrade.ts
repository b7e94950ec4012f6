import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { errorMessage } from '../../core/errors.js';
import { resetStream, type ByteStream } from './byte-stream.js';
import { isConnected, type Connection, type Connector } from './connector.js';
import { answerErrorRaw, httpError, notConnectedError } from './http-answer.js';
import { forwardRequestHeaders, forwardResponseHeaders, type RequestHeaders } from './http-headers.js';
import type { Lease, Route } from './route.js';
import { splice } from './splice.js';

/**
 * A request to switch protocols (WebSocket or any other). When the replica agrees, bytes flow both
 * ways until either side ends; when it does not, its answer is passed on and the connection closed,
 * so that whatever follows is a request of its own again. Not done by http-proxy, which knows
 * WebSockets alone and ends both directions with the first.
 */
export class HttpUpgrade {
  readonly #connector: Connector;
  readonly #route: Route;
  readonly #request: IncomingMessage;
  readonly #client: Socket;
  /** What the client sent after its head. */
  readonly #rest: Buffer;

  constructor(connector: Connector, route: Route, request: IncomingMessage, client: Socket, rest: Buffer) {
    this.#connector = connector;
    this.#route = route;
    this.#request = request;
    this.#client = client;
    this.#rest = rest;
  }

  async start(opened: Connection | undefined): Promise<void> {
    const connection = opened ?? (await this.#connector.connect(this.#route, this.#client));
    if (!isConnected(connection)) {
      answerErrorRaw(this.#client, notConnectedError(this.#route, connection));
      return;
    }
    const { lease, stream } = connection;
    if (this.#client.destroyed) {
      lease.release();
      resetStream(stream);
      return;
    }
    try {
      this.#send(lease, stream);
    } catch (error) {
      lease.release();
      resetStream(stream);
      answerErrorRaw(this.#client, httpError(400, this.#route, errorMessage(error)));
    }
  }

  #send(lease: Lease, stream: ByteStream): void {
    const { method, url, headers } = this.#request;
    const sent = httpRequest({
      createConnection: () => stream,
      method: method ?? 'GET',
      path: url ?? '/',
      headers: upgradeHeaders(headers, this.#client, this.#route.publishedPort),
    });
    const onClientClose = (): void => {
      resetStream(stream);
    };
    const release = (): void => {
      this.#client.off('close', onClientClose);
      lease.release();
    };
    this.#client.once('close', onClientClose);
    sent.once('upgrade', (answer, _socket, head) => {
      this.#client.off('close', onClientClose);
      this.#client.write(responseHead(answer, answer.rawHeaders));
      if (head.length > 0) this.#client.write(head);
      splice(this.#client, stream, release);
    });
    sent.once('response', (answer) => {
      this.#client.write(responseHead(answer, [...forwardResponseHeaders(answer.rawHeaders), 'Connection', 'close']));
      answer.on('data', (chunk: Buffer) => {
        if (!this.#client.write(chunk)) answer.pause();
      });
      this.#client.on('drain', () => answer.resume());
      answer.once('close', () => {
        release();
        if (answer.complete) this.#client.end();
        else resetStream(this.#client);
      });
    });
    sent.once('error', (error) => {
      release();
      answerErrorRaw(this.#client, httpError(502, this.#route, error.message));
    });
    sendBody(sent, this.#client, this.#rest, Number(headers['content-length'] ?? 0));
  }
}

function upgradeHeaders(headers: RequestHeaders, client: Socket, publishedPort: number): RequestHeaders {
  const { upgrade } = headers;
  const forwarded = { ...headers };
  forwardRequestHeaders(forwarded, { clientAddress: client.remoteAddress ?? '', publishedPort });
  return { ...forwarded, connection: 'Upgrade', upgrade };
}

/** Sends the body that was announced; what the client sends after it waits for the answer. */
function sendBody(sent: ClientRequest, client: Socket, rest: Buffer, length: number): void {
  let left = length;
  const take = (chunk: Buffer): void => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) sent.write(part);
    if (left > 0) return;
    client.off('data', take);
    client.pause();
    if (chunk.length > part.length) client.unshift(chunk.subarray(part.length));
    sent.end();
  };
  client.on('data', take);
  take(rest);
}

function responseHead(answer: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  for (let index = 0; index + 1 < headers.length; index += 2)
    lines.push(`${headers[index] ?? ''}: ${headers[index + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
