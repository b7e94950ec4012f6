import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { errorMessage } from '../../core/errors.js';
import type { Affinity } from './affinity.js';
import { resetStream } from './byte-stream.js';
import { isConnected, type Connected, type Connection, type Connector } from './connector.js';
import { endpointKey } from './endpoint-key.js';
import { answerError, httpError, notConnectedError, type HttpError } from './http-answer.js';
import { forwardRequest } from './http-forward.js';
import { forwardRequestHeaders, forwardResponseHeaders, isForeignCoding } from './http-headers.js';
import type { Lease, Route } from './route.js';
import { abortTunnel } from './tunnel-abort.js';
import { Upstream } from './upstream.js';
import type { UpstreamPool } from './upstream-pool.js';

export interface ExchangeContext {
  readonly connector: Connector;
  readonly pool: UpstreamPool;
  /** The mesh ends: each answer is the last of its connection. */
  readonly isClosing: () => boolean;
}

/** Methods that may be sent again when nobody can tell whether they were carried out (RFC 9110 section 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * One request of a client and its answer.
 *
 * Invariants: the lease is released exactly when the answer is complete or the client is gone; a
 * request is sent a second time only when it is idempotent, has no body, went over a reused
 * connection and got no byte of an answer; an answer that was cut is never ended in order.
 */
export class HttpExchange {
  readonly #context: ExchangeContext;
  readonly #route: Route;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #hasBody: boolean;
  readonly #isChunked: boolean;
  readonly #expectsContinue: boolean;
  readonly #cookie: string | undefined;
  #lease: Lease | undefined;
  #upstream: Upstream | undefined;
  #sent: ClientRequest | undefined;
  #attempt = 0;
  #answered = false;
  #done = false;

  constructor(context: ExchangeContext, route: Route, request: IncomingMessage, response: ServerResponse) {
    const { headers } = request;
    this.#context = context;
    this.#route = route;
    this.#request = request;
    this.#response = response;
    this.#isChunked = headers['transfer-encoding'] !== undefined;
    this.#hasBody = this.#isChunked || (headers['content-length'] ?? '0') !== '0';
    this.#expectsContinue = headers.expect !== undefined;
    // Before a client may have it removed by naming it in Connection.
    this.#cookie = headers.cookie;
  }

  /** `opened` was dialled for this client ahead of its first request. */
  start(opened: Connection | undefined): void {
    const { headers, socket } = this.#request;
    delete headers.expect;
    forwardRequestHeaders(headers, {
      clientAddress: socket.remoteAddress ?? '',
      publishedPort: this.#route.publishedPort,
    });
    this.#response.once('close', this.#onClosed);
    if (opened !== undefined) this.#begin(opened);
    else if (this.#hasBody || !IDEMPOTENT.has(this.#request.method ?? '')) void this.#dial(undefined);
    else this.#sendOverIdle(this.#route.claim({ affinity: this.#affinity() }));
  }

  /** Where the client of a sticky port belongs. */
  #affinity(): Affinity | undefined {
    return this.#route.sticky?.ofCookie(this.#cookie);
  }

  #begin(opened: Connection): void {
    if (!isConnected(opened)) {
      this.#fail(notConnectedError(this.#route, opened));
      return;
    }
    this.#use(opened);
  }

  #sendOverIdle(lease: Lease | undefined): void {
    const idle = lease === undefined ? undefined : this.#context.pool.take(endpointKey(lease.endpoint));
    if (lease === undefined || idle === undefined) void this.#dial(lease);
    else this.#send(lease, idle);
  }

  async #dial(lease: Lease | undefined): Promise<void> {
    const connection = await this.#context.connector.connect(this.#route, this.#request.socket, {
      lease,
      affinity: this.#affinity(),
    });
    if (!isConnected(connection)) this.#fail(notConnectedError(this.#route, connection));
    else if (this.#done) {
      connection.lease.release();
      resetStream(connection.stream);
    } else this.#use(connection);
  }

  #use({ lease, stream }: Connected): void {
    const { pool } = this.#context;
    this.#send(
      lease,
      new Upstream(lease.endpoint, stream, (free) => {
        pool.park(free);
      }),
    );
  }

  #send(lease: Lease, upstream: Upstream): void {
    this.#lease = lease;
    this.#upstream = upstream;
    this.#attempt += 1;
    const attempt = this.#attempt;
    upstream.onRequest = this.#prepare;
    try {
      forwardRequest(this.#request, this.#response, upstream, this.#hasBody, (error) => {
        this.#onError(attempt, error);
      });
    } catch (error) {
      resetStream(upstream.stream);
      this.#fail(httpError(400, this.#route, errorMessage(error)));
    }
  }

  /** Called by node:http while it makes the request, before anything is sent. */
  readonly #prepare = (sent: ClientRequest): void => {
    const attempt = this.#attempt;
    const request = this.#request;
    this.#sent = sent;
    sent.path = request.url ?? '/';
    sent.once('response', this.#onResponse);
    sent.once('close', () => {
      if (!this.#answered) this.#onError(attempt, new Error('the replica closed the connection without an answer'));
    });
    if (this.#hasBody && (this.#isChunked || !sent.hasHeader('content-length'))) {
      sent.removeHeader('content-length');
      sent.setHeader('transfer-encoding', 'chunked');
      request.once('end', () => {
        if (request.rawTrailers.length > 0 && !sent.writableEnded) sent.addTrailers(pairs(request.rawTrailers));
      });
    }
    const stream = this.#upstream?.stream;
    if (stream !== undefined && !(stream instanceof Socket)) {
      sent.destroy = () => {
        // Once its answer is complete, the tunnel may belong to another request.
        if (!sent.destroyed) abortTunnel(stream);
        return sent;
      };
    }
    sent.on('information', this.#onInformation);
    if (this.#expectsContinue) {
      sent.setHeader('expect', '100-continue');
      sent.flushHeaders();
    }
  };

  readonly #onInformation = ({ statusCode, headers }: { statusCode: number; headers: object }): void => {
    if (this.#response.headersSent) return;
    if (statusCode === 100) {
      if (this.#expectsContinue) this.#response.writeContinue();
    } else if (statusCode === 102) this.#response.writeProcessing();
    else if (statusCode === 103 && 'link' in headers && typeof headers.link === 'string') {
      try {
        this.#response.writeEarlyHints({ link: headers.link });
      } catch {
        // A hint that cannot be sent is not worth the answer.
      }
    }
  };

  readonly #onResponse = (answer: IncomingMessage): void => {
    this.#answered = true;
    const response = this.#response;
    answer.once('close', () => {
      if (!answer.complete) this.#cut();
    });
    answer.on('error', this.#cut);
    try {
      if (isForeignCoding(answer.headers['transfer-encoding'])) throw new Error('it sent an unknown transfer coding');
      if (this.#context.isClosing()) response.shouldKeepAlive = false;
      const headers = forwardResponseHeaders(answer.rawHeaders);
      const cookie = this.#lease && this.#route.sticky?.cookieFor(this.#lease.endpoint, this.#cookie);
      if (cookie !== undefined) headers.push('Set-Cookie', cookie);
      response.writeHead(answer.statusCode ?? 0, answer.statusMessage ?? '', headers);
    } catch (error) {
      answer.destroy();
      this.#fail(httpError(502, this.#route, `its answer cannot be passed on: ${errorMessage(error)}`));
      return;
    }
    let hasBegun = false;
    answer.on('data', (chunk: Buffer) => {
      hasBegun = true;
      if (!response.write(chunk)) answer.pause();
    });
    // A replica that says more later (a stream of events) has its client know at once that it answers.
    setImmediate(() => {
      if (!hasBegun && !this.#done && !response.writableEnded) response.flushHeaders();
    });
    response.on('drain', () => answer.resume());
    answer.once('end', () => {
      // An answer without a length ends with its connection, also when that was cut.
      const stream = this.#upstream?.stream;
      if (stream !== undefined && !(stream instanceof Socket) && stream.rstCode !== 0) {
        this.#cut();
        return;
      }
      if (answer.rawTrailers.length > 0) response.addTrailers(pairs(answer.rawTrailers));
      response.end();
    });
  };

  #onError(attempt: number, error: Error): void {
    if (attempt !== this.#attempt || this.#done) return;
    if (this.#answered) {
      // The answer goes on by itself; only the rest of the request can no longer be sent.
      this.#request.unpipe();
      this.#request.resume();
      return;
    }
    const isRepeatable = this.#upstream?.reused === true && !this.#hasBody && !this.#request.socket.destroyed;
    this.#attempt += 1;
    if (this.#upstream !== undefined) resetStream(this.#upstream.stream);
    if (isRepeatable) void this.#dial(this.#lease);
    else this.#fail(httpError(502, this.#route, `its replica ${this.#lease?.endpoint.taskId ?? ''}: ${error.message}`));
  }

  /** The answer is incomplete: the client must see that. */
  readonly #cut = (): void => {
    if (!this.#done && !this.#response.writableEnded) resetStream(this.#request.socket);
  };

  #fail(error: HttpError): void {
    if (this.#done) return;
    if (this.#response.headersSent) this.#cut();
    else answerError(this.#response, error);
  }

  readonly #onClosed = (): void => {
    this.#done = true;
    this.#lease?.release();
    const sent = this.#sent;
    if (sent === undefined || (this.#response.writableFinished && sent.writableFinished)) return;
    // The client is gone, or it was answered before all of its body was sent: nobody wants the rest.
    this.#request.unpipe();
    this.#request.resume();
    sent.destroy();
  };
}

/** A flat list of names and values as pairs. */
function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) list.push([flat[index] ?? '', flat[index + 1] ?? '']);
  return list;
}
