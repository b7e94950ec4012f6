import type { Socket } from 'node:net';
import type { Admission } from './admission.js';
import { ignoreError, resetStream, type ByteStream } from './byte-stream.js';
import { isConnected, type Connected, type Connection, type Connector } from './connector.js';
import { classifyFirstBytes } from './first-bytes.js';
import { proxyHeader } from './proxy-header.js';
import type { Route } from './route.js';
import { splice } from './splice.js';

/** Who serves a client once it is known to speak HTTP/1. */
export interface HttpService {
  /** `opened` is what was dialled for the client already; it belongs to the first request. */
  serve(client: Socket, route: Route, opened: Connection | undefined): void;
  /** The endpoints changed. */
  tableChanged(): void;
}

export interface IntakeOptions {
  readonly connector: Connector;
  readonly http: HttpService;
  readonly admission: Admission;
}

/** Bytes that a client may send while there is no endpoint yet; more wait in its own buffers. */
const MOST_EARLY = 16 * 1024;
/** How long a client may take for a request line that it has begun before it is taken for HTTP, ms. */
const LONGEST_LINE = 10_000;
/** How long a client that has not spoken is kept when no endpoint answers, ms. Whether it gets an HTTP answer or a reset depends on what it says. */
const SILENT_REFUSAL = 1_000;

/**
 * Takes new connections of the published ports. An endpoint is claimed and dialled at once; who
 * speaks first and how decides what the connection is.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #clients = new Set<Socket>();
  readonly #undecided = new Set<UndecidedConnection>();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  accept(client: Socket, route: Route): void {
    client.on('error', ignoreError);
    if (!this.#options.admission.enter(client, route)) {
      client.resetAndDestroy();
      return;
    }
    this.#clients.add(client);
    client.once('close', () => {
      this.#clients.delete(client);
    });
    const { mode, proxyProtocol } = route.port;
    switch (proxyProtocol === undefined ? mode : 'tcp') {
      case 'http':
        this.#options.http.serve(client, route, undefined);
        return;
      case 'tcp':
        this.#decide(client, route, 'opaque');
        return;
      case 'auto':
        this.#decide(client, route, undefined);
    }
  }

  /** Connections on which nothing was said yet leave endpoints that are no longer active: nobody notices. */
  tableChanged(): void {
    for (const connection of this.#undecided) connection.leaveInactive();
    this.#options.http.tableChanged();
  }

  get open(): number {
    return this.#clients.size;
  }

  /** Ends what nobody uses yet. */
  closeIdle(): void {
    for (const connection of this.#undecided) connection.giveUp();
  }

  destroy(): void {
    for (const client of this.#clients) client.destroy();
  }

  #decide(client: Socket, route: Route, kind: 'opaque' | undefined): void {
    const connection = new UndecidedConnection(client, route, kind, this.#options, () => {
      this.#undecided.delete(connection);
    });
    this.#undecided.add(connection);
    connection.start();
  }
}

function spliceClient(client: Socket, { lease, stream }: Connected): void {
  splice(client, stream, () => {
    lease.release();
  });
}

/** What a replica is told of its client ahead of all else. */
function headerFor(client: Socket, { port }: Route): Buffer | undefined {
  if (port.proxyProtocol === undefined) return undefined;
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = client;
  const source = { address: remoteAddress, port: remotePort };
  return proxyHeader(port.proxyProtocol, source, { address: localAddress, port: localPort });
}

/** A connection until it is known what it is, and there is an endpoint for it. */
class UndecidedConnection {
  readonly #client: Socket;
  readonly #route: Route;
  readonly #options: IntakeOptions;
  readonly #onDecided: () => void;
  /** What the client said so far. */
  #head: Buffer | undefined;
  /** Known from the start where the port says so. */
  #kind: 'http' | 'opaque' | undefined;
  /** Undefined while it is being dialled. */
  #connection: Connection | undefined;
  #unwatchEndpoint: () => void = ignoreError;
  #refusal: NodeJS.Timeout | undefined;
  #slowLine: NodeJS.Timeout | undefined;
  #done = false;

  constructor(client: Socket, route: Route, kind: 'opaque' | undefined, options: IntakeOptions, onDecided: () => void) {
    this.#client = client;
    this.#route = route;
    this.#kind = kind;
    this.#options = options;
    this.#onDecided = onDecided;
  }

  start(): void {
    this.#client.on('data', this.#onData);
    this.#client.on('end', this.#onEnd);
    this.#client.on('close', this.#onClose);
    void this.#dial();
  }

  leaveInactive(): void {
    const connection = this.#connection;
    if (connection === undefined || !isConnected(connection) || this.#kind !== undefined) return;
    if (this.#route.isActive(connection.lease.endpoint)) return;
    this.#dropEndpoint();
    void this.#dial();
  }

  giveUp(): void {
    if (this.#kind === undefined) this.#client.destroy();
  }

  async #dial(): Promise<void> {
    const connection = await this.#options.connector.connect(this.#route, this.#client, {
      affinity: this.#route.sticky?.ofAddress(this.#client.remoteAddress ?? ''),
    });
    this.#connection = connection;
    if (this.#done) {
      this.#dropEndpoint();
      return;
    }
    if (isConnected(connection)) this.#watchEndpoint(connection.stream);
    this.#proceed();
    // The table may have changed while the dial was under way.
    this.leaveInactive();
  }

  /** Reads on while there is no endpoint: it is the only way to learn that the client is gone. */
  readonly #onData = (chunk: Buffer): void => {
    this.#head = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
    if (this.#kind === undefined) {
      const kind = classifyFirstBytes(this.#head);
      if (kind === 'more') {
        this.#slowLine ??= setTimeout(this.#onSlowLine, LONGEST_LINE);
        return;
      }
      this.#kind = kind;
    }
    if (this.#head.length >= MOST_EARLY) this.#client.pause();
    this.#proceed();
  };

  /** It begins like HTTP: whoever serves that tells it that it is too slow. */
  readonly #onSlowLine = (): void => {
    this.#kind ??= 'http';
    this.#proceed();
  };

  readonly #onEnd = (): void => {
    if (this.#connection === undefined) this.#onEndWhileWaiting();
    this.#kind ??= 'opaque';
    this.#proceed();
  };

  /** An end may be that of one direction only, but not in HTTP, and hardly of a client that said nothing. */
  #onEndWhileWaiting(): void {
    if (this.#kind === 'http') this.#client.destroy();
    else if (this.#head === undefined) this.#refusal ??= setTimeout(() => this.#client.destroy(), SILENT_REFUSAL);
  }

  readonly #onClose = (): void => {
    if (this.#done) return;
    this.#finish();
    this.#dropEndpoint();
  };

  /** An endpoint that speaks or ends before the client was understood: it is not HTTP. */
  #watchEndpoint(stream: ByteStream): void {
    const speaks = (chunk: Buffer): void => {
      stream.pause();
      stream.unshift(chunk);
      ends();
    };
    const ends = (): void => {
      this.#kind ??= 'opaque';
      this.#proceed();
    };
    stream.on('data', speaks);
    stream.on('end', ends);
    stream.on('close', ends);
    this.#unwatchEndpoint = () => {
      stream.off('data', speaks);
      stream.off('end', ends);
      stream.off('close', ends);
    };
  }

  #dropEndpoint(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#unwatchEndpoint();
    if (connection === undefined || !isConnected(connection)) return;
    resetStream(connection.stream);
    connection.lease.release();
  }

  /** Hands the connection over as soon as both ends are known. */
  #proceed(): void {
    const connection = this.#connection;
    if (this.#done || connection === undefined) return;
    if (this.#kind === undefined) {
      if (!isConnected(connection)) this.#refusal ??= setTimeout(() => resetStream(this.#client), SILENT_REFUSAL);
      return;
    }
    this.#finish();
    this.#client.pause();
    if (this.#kind === 'http') {
      if (this.#head !== undefined) this.#client.unshift(this.#head);
      this.#options.http.serve(this.#client, this.#route, connection);
    } else if (isConnected(connection)) {
      this.#options.admission.busy(this.#client);
      const header = headerFor(this.#client, this.#route);
      if (header !== undefined) connection.stream.write(header);
      if (this.#head !== undefined) connection.stream.write(this.#head);
      spliceClient(this.#client, connection);
    } else resetStream(this.#client);
  }

  #finish(): void {
    this.#done = true;
    clearTimeout(this.#refusal);
    clearTimeout(this.#slowLine);
    this.#unwatchEndpoint();
    this.#client.off('data', this.#onData);
    this.#client.off('end', this.#onEnd);
    this.#client.off('close', this.#onClose);
    this.#onDecided();
  }
}
