import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Admission } from './admission.js';
import { resetStream } from './byte-stream.js';
import { isConnected, type Connected, type Connection, type Connector } from './connector.js';
import { HttpExchange } from './http-exchange.js';
import { isHttp2Offer, requestWithoutOffer } from './http-headers.js';
import { HttpUpgrade } from './http-upgrade.js';
import type { HttpService } from './intake.js';
import type { Route } from './route.js';
import { Upstream } from './upstream.js';
import { UpstreamPool } from './upstream-pool.js';

const LARGEST_HEAD = 64 * 1024;
/** A head that was begun must be complete after this, ms. Between requests a client may be idle for ever. */
const HEAD_TIMEOUT = 60_000;
/** How often heads that dawdle are looked for, at most, ms. */
const HEAD_CHECK = 5_000;

export interface HttpFrontOptions {
  readonly connector: Connector;
  readonly admission: Admission;
  /** ms; a minute unless given. */
  readonly headTimeout?: number;
}

interface HttpClient {
  readonly route: Route;
  /** What was dialled for the first request. */
  opened: Connection | undefined;
  /** Requests that are not answered yet. */
  underWay: number;
}

/**
 * Serves the clients that speak HTTP/1: each request is routed by itself, so a client that keeps its
 * connection neither sticks to a replica nor holds up its draining.
 */
export class HttpFront implements HttpService {
  readonly pool = new UpstreamPool();
  readonly #connector: Connector;
  readonly #admission: Admission;
  readonly #server: Server;
  readonly #clients = new WeakMap<Socket, HttpClient>();
  /** Clients for which something was dialled that no request has used yet. */
  readonly #openings = new Set<HttpClient>();
  #closing = false;

  constructor({ connector, admission, headTimeout = HEAD_TIMEOUT }: HttpFrontOptions) {
    this.#connector = connector;
    this.#admission = admission;
    this.#server = createServer({
      maxHeaderSize: LARGEST_HEAD,
      headersTimeout: headTimeout,
      connectionsCheckingInterval: Math.min(HEAD_CHECK, headTimeout),
      requestTimeout: 0,
      keepAliveTimeout: 0,
    });
    this.#server.timeout = 0;
    this.#server.on('request', this.#onRequest);
    this.#server.on('checkContinue', this.#onRequest);
    this.#server.on('upgrade', this.#onUpgrade);
    // It never listens, its connections are handed to it; this starts its watch over slow heads.
    this.#server.emit('listening');
  }

  serve(socket: Socket, route: Route, opened: Connection | undefined): void {
    const client: HttpClient = { route, opened, underWay: 0 };
    this.#clients.set(socket, client);
    if (opened !== undefined && isConnected(opened)) this.#openings.add(client);
    socket.once('close', () => {
      this.#drop(client);
    });
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** What was dialled ahead of a request that is not complete yet leaves endpoints that are no longer active. */
  tableChanged(): void {
    for (const client of this.#openings) {
      const { opened, route } = client;
      if (opened === undefined || !isConnected(opened) || !route.isActive(opened.lease.endpoint)) this.#drop(client);
    }
  }

  /** Each answer from now on is the last of its connection. Idle ones are left to their clients, who may be asking just now. */
  retire(): void {
    this.#closing = true;
  }

  /** Ends connections on which no request is under way. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  /** Lets answers under way be the last of their connections. */
  close(): void {
    this.#closing = true;
    this.pool.close();
    this.#server.closeIdleConnections();
  }

  /** Stops the watch over slow heads; after it nothing of the front keeps running. */
  destroy(): void {
    this.close();
    this.#server.close();
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const client = this.#clients.get(request.socket);
    if (client === undefined) {
      request.socket.destroy();
      return;
    }
    this.#begin(request.socket, client, response);
    const opened = this.#takeOpened(client, request);
    const context = { connector: this.#connector, pool: this.pool, isClosing: () => this.#closing };
    new HttpExchange(context, client.route, request, response).start(opened);
  };

  readonly #onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const client = this.#clients.get(socket);
    if (client === undefined) {
      socket.destroy();
      return;
    }
    if (isHttp2Offer(request.headers.upgrade)) {
      // Read again as the plain request that it also is.
      socket.unshift(Buffer.concat([requestWithoutOffer(request), head]));
      this.#server.emit('connection', socket);
      socket.resume();
      return;
    }
    this.#admission.busy(socket);
    void new HttpUpgrade(this.#connector, client.route, request, socket, head).start(this.#takeOpened(client, request));
  };

  /** While a request is under way its connection is not closed in favour of others. */
  #begin(socket: Socket, client: HttpClient, response: ServerResponse): void {
    client.underWay += 1;
    this.#admission.busy(socket);
    response.once('close', () => {
      client.underWay -= 1;
      if (client.underWay === 0) this.#admission.idle(socket);
    });
  }

  /**
   * What was dialled for the first request, unless its endpoint ended it or started draining since.
   * On a sticky port it is of use only if it happens to lead where the request belongs; else it is kept for another.
   */
  #takeOpened(client: HttpClient, { headers }: IncomingMessage): Connection | undefined {
    const { opened, route } = client;
    if (opened !== undefined && isConnected(opened)) {
      const { lease, stream } = opened;
      if (!route.isActive(lease.endpoint) || stream.destroyed || !stream.writable || stream.readableEnded) {
        this.#drop(client);
        return undefined;
      }
    }
    client.opened = undefined;
    this.#openings.delete(client);
    if (
      opened !== undefined &&
      isConnected(opened) &&
      route.sticky?.isOwn(headers.cookie, opened.lease.endpoint) === false
    ) {
      this.#keep(opened);
      return undefined;
    }
    return opened;
  }

  /** Leaves a connection that nobody uses to the next request for its endpoint. */
  #keep({ lease, stream }: Connected): void {
    lease.release();
    this.pool.park(
      new Upstream(lease.endpoint, stream, (free) => {
        this.pool.park(free);
      }),
    );
  }

  #drop(client: HttpClient): void {
    const { opened } = client;
    client.opened = undefined;
    this.#openings.delete(client);
    if (opened === undefined || !isConnected(opened)) return;
    opened.lease.release();
    resetStream(opened.stream);
  }
}
