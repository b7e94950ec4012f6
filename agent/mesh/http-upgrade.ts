import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { errorMessage } from '../../core/errors.js';
import { ignoreError, resetStream, type ByteStream } from './byte-stream.js';
import { isConnected, type Connection, type Connector } from './connector.js';
import { answerErrorRaw, httpError, notConnectedError } from './http-answer.js';
import { forwardRequestHeaders, forwardResponseHeaders, type RequestHeaders } from './http-headers.js';
import type { Lease, Route } from './route.js';
import { splice } from './splice.js';

/** Bytes that a client may send ahead of the answer; more wait in its own buffers. */
const MOST_EARLY = 64 * 1024;

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
    const waiting = new EarlyBytes(this.#client, this.#rest);
    const affinity = this.#route.sticky?.ofCookie(this.#request.headers.cookie);
    const connection = opened ?? (await this.#connector.connect(this.#route, this.#client, { affinity }));
    const early = waiting.take();
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
      this.#send(lease, stream, early);
    } catch (error) {
      lease.release();
      resetStream(stream);
      answerErrorRaw(this.#client, httpError(400, this.#route, errorMessage(error)));
    }
  }

  #send(lease: Lease, stream: ByteStream, early: Buffer): void {
    const { method, url, headers } = this.#request;
    const client = this.#client;
    const sent = httpRequest({
      createConnection: () => stream,
      method: method ?? 'GET',
      path: url ?? '/',
      headers: upgradeHeaders(headers, client, this.#route.publishedPort),
    });
    const cookie = this.#route.sticky?.cookieFor(lease.endpoint, headers.cookie);
    const own = cookie === undefined ? [] : ['Set-Cookie', cookie];
    const opening = new Opening(client, sent, Number(headers['content-length'] ?? 0));
    const release = (): void => {
      lease.release();
    };
    const gone = (): void => {
      opening.finish();
      release();
      resetStream(stream);
      client.destroy();
    };
    client.once('end', gone);
    client.once('close', gone);
    const settle = (): Buffer => {
      client.off('end', gone);
      client.off('close', gone);
      return opening.finish();
    };
    sent.once('upgrade', (answer, _socket, head) => {
      const more = settle();
      client.write(responseHead(answer, [...answer.rawHeaders, ...own]), 'latin1');
      if (head.length > 0) client.write(head);
      if (more.length > 0) stream.write(more);
      splice(client, stream, release);
    });
    sent.once('response', (answer) => {
      settle();
      passOn(answer, client, own, () => {
        release();
        resetStream(stream);
      });
    });
    sent.once('error', (error) => {
      settle();
      release();
      answerErrorRaw(client, httpError(502, this.#route, error.message));
    });
    opening.take(early);
  }
}

/** What a client sends while there is no endpoint for it. Read on: it is the only way to learn that it is gone. */
class EarlyBytes {
  readonly #client: Socket;
  readonly #chunks: Buffer[];
  #size: number;

  constructor(client: Socket, rest: Buffer) {
    this.#client = client;
    this.#chunks = [rest];
    this.#size = rest.length;
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    client.resume();
  }

  take(): Buffer {
    this.#client.off('data', this.#onData);
    this.#client.off('end', this.#onEnd);
    this.#client.pause();
    return Buffer.concat(this.#chunks);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > MOST_EARLY) this.#client.pause();
  };

  readonly #onEnd = (): void => {
    this.#client.destroy();
  };
}

/** What a client sends before its replica answered: the body it announced, and perhaps more. */
class Opening {
  readonly #client: Socket;
  readonly #sent: ClientRequest;
  readonly #early: Buffer[] = [];
  #bodyLeft: number;
  #size = 0;

  constructor(client: Socket, sent: ClientRequest, bodyLength: number) {
    this.#client = client;
    this.#sent = sent;
    this.#bodyLeft = bodyLength;
    // Read on while waiting: it is the only way to learn that the client is gone.
    client.on('data', this.take);
    client.resume();
  }

  readonly take = (chunk: Buffer): void => {
    const part = chunk.subarray(0, this.#bodyLeft);
    this.#bodyLeft -= part.length;
    if (part.length > 0) this.#sent.write(part);
    if (this.#bodyLeft === 0 && !this.#sent.writableEnded) this.#sent.end();
    if (chunk.length === part.length) return;
    this.#early.push(chunk.subarray(part.length));
    this.#size += chunk.length - part.length;
    if (this.#size > MOST_EARLY) this.#client.pause();
  };

  /** Stops reading; returns what belongs to the new protocol. */
  finish(): Buffer {
    this.#client.off('data', this.take);
    return Buffer.concat(this.#early);
  }
}

/** Sends a client the answer of a replica that did not switch, with `own` headers, and closes the connection after it. */
function passOn(answer: IncomingMessage, client: Socket, own: readonly string[], onDone: () => void): void {
  const headers = [...forwardResponseHeaders(answer.rawHeaders), ...own, 'Connection', 'close'];
  client.write(responseHead(answer, headers), 'latin1');
  client.resume();
  answer.on('data', (chunk: Buffer) => {
    if (!client.write(chunk)) answer.pause();
  });
  answer.on('error', ignoreError);
  client.on('drain', () => answer.resume());
  client.once('close', () => answer.destroy());
  answer.once('close', () => {
    onDone();
    if (answer.complete) client.destroySoon();
    else resetStream(client);
  });
}

function upgradeHeaders(headers: RequestHeaders, client: Socket, publishedPort: number): RequestHeaders {
  const { upgrade } = headers;
  const forwarded = { ...headers };
  forwardRequestHeaders(forwarded, { clientAddress: client.remoteAddress ?? '', publishedPort });
  return { ...forwarded, connection: 'Upgrade', upgrade };
}

function responseHead(answer: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  for (let index = 0; index + 1 < headers.length; index += 2)
    lines.push(`${headers[index] ?? ''}: ${headers[index + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
