import type { Socket } from 'node:net';
import { parseHostPort } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import { errorMessage } from '../../core/errors.js';
import { IdentitySource, type NodeIdentity } from '../../core/identity.js';
import type { Logger } from '../../core/logger.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';
import { Admission } from './admission.js';
import { Binding } from './binding.js';
import { Connector } from './connector.js';
import { ControlSocket } from './control-socket.js';
import { EndpointDialler } from './endpoint-dialler.js';
import { endpointKey } from './endpoint-key.js';
import { HttpFront } from './http-front.js';
import { InFlight } from './in-flight.js';
import { Intake } from './intake.js';
import { listenHost } from './listen-host.js';
import { Listeners } from './listeners.js';
import { Locals } from './locals.js';
import type { DaemonToMesh, MeshConfig } from './messages.js';
import { mostConnections } from './open-files.js';
import { Peers } from './peers.js';
import { Reporter } from './reporter.js';
import { endpointsOf, Routes } from './routes.js';
import { TunnelCredentials } from './tunnel-credentials.js';
import { TunnelServer } from './tunnel-server.js';

/** ms for finding an endpoint that answers, and the most connections that may wait for one. */
const CONNECT_BUDGET = 2_000;
const MOST_WAITING = 1_024;
const DRAIN_CHECK = 50;

export interface MeshOptions {
  readonly config: MeshConfig;
  readonly loadIdentity: (file: string) => Promise<NodeIdentity>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** ms for finding an endpoint that answers; 2 s unless given. */
  readonly connectBudget?: number;
  /** The daemon asked the mesh to end. */
  readonly onQuit: () => void;
}

/**
 * The data plane of one node: published ports, the way to each endpoint, the end of the other
 * nodes' tunnels. Depends on a daemon for news only: without one it routes by what it knows.
 */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #identity: IdentitySource;
  readonly #locals = new Locals();
  readonly #inFlight: InFlight;
  readonly #routes: Routes;
  readonly #peers: Peers;
  readonly #http: HttpFront;
  readonly #intake: Intake;
  readonly #listeners: Listeners;
  readonly #tunnels: TunnelServer;
  readonly #tunnelPort: number;
  readonly #tunnelBinding: Binding;
  readonly #reporter: Reporter;
  readonly #control: ControlSocket;
  #members: ReadonlySet<string> = new Set();
  /** The table whose pickers are in use and whose listeners were tried; never a later one. */
  #acked = 0;
  #closing = false;

  private constructor(options: MeshOptions, identity: NodeIdentity, control: ControlSocket) {
    const { config, clock, logger, random } = options;
    this.#options = options;
    this.#control = control;
    this.#identity = new IdentitySource(identity);
    this.#reporter = new Reporter(
      () => this.report(),
      (report) => {
        control.send({ kind: 'report', report });
      },
    );
    const { changed } = this.#reporter;
    this.#inFlight = new InFlight(changed);
    this.#routes = new Routes({ nodeId: config.nodeId, inFlight: this.#inFlight, now: () => clock.now() });
    const credentials = new TunnelCredentials(this.#identity);
    this.#peers = new Peers(config.nodeId, { credentials, clock, logger, random });
    const dialler = new EndpointDialler({
      nodeId: config.nodeId,
      locals: this.#locals,
      peers: this.#peers,
      isDaemonHere: () => control.isConnected,
    });
    const connector = new Connector({
      dial: (endpoint, timeout) => dialler.dial(endpoint, timeout),
      budget: options.connectBudget ?? CONNECT_BUDGET,
      mostWaiting: MOST_WAITING,
    });
    const admission = new Admission({ most: mostConnections(), now: () => clock.now(), logger });
    this.#http = new HttpFront({ connector, admission });
    this.#intake = new Intake({ connector, http: this.#http, admission });
    this.#listeners = new Listeners({
      host: listenHost(config.publishAddr),
      clock,
      logger,
      onConnection: (socket, publishedPort) => {
        this.#accept(socket, publishedPort);
      },
      onChange: changed,
    });
    this.#tunnels = new TunnelServer({
      identity: this.#identity,
      locals: this.#locals,
      isMember: (nodeId) => this.#members.has(nodeId),
      logger,
    });
    const { host, port } = parseHostPort(config.listenAddr, { port: 2378 }, 'mesh address');
    this.#tunnelPort = port;
    this.#tunnelBinding = new Binding({
      server: this.#tunnels.server,
      host: listenHost(host),
      port,
      clock,
      onChange: changed,
    });
  }

  /** Throws when the identity cannot be read or the control socket is taken. A port that is taken is told in the reports. */
  static async start(options: MeshOptions): Promise<Mesh> {
    const identity = await options.loadIdentity(options.config.identityFile);
    const { config, logger } = options;
    const hello = { kind: 'hello', pid: process.pid, version: config.version ?? '', nodeId: config.nodeId } as const;
    // Messages cannot arrive before the next turn of the event loop, when the mesh is there.
    const control = await ControlSocket.open({
      path: config.socket,
      logger,
      greeting: () => [hello, { kind: 'report', report: mesh.report() }],
      onMessage: (message) => {
        mesh.#onMessage(message);
      },
    });
    const mesh = new Mesh(options, identity, control);
    await mesh.#tunnelBinding.attempted;
    return mesh;
  }

  report(): MeshReport {
    const tunnelError = this.#tunnelBinding.error;
    const errors = this.#listeners.errors();
    const all =
      tunnelError === undefined
        ? errors
        : [...errors, { publishedPort: this.#tunnelPort, error: `${tunnelError} (for tunnels of other nodes)` }];
    return {
      tableNumber: this.#acked,
      bindErrors: all.map((error) => ({ ...error, protocol: 'tcp' })),
      inFlight: this.#inFlight.watched(),
    };
  }

  /** Whether a daemon could find this mesh. */
  get isReachable(): boolean {
    return this.#control.isReachable;
  }

  /** Connections of clients, tunnels from other nodes, and idle connections to endpoints: for tests and logs. */
  get open(): { readonly clients: number; readonly tunnels: number; readonly idle: number; readonly inFlight: number } {
    return {
      clients: this.#intake.open,
      tunnels: this.#tunnels.open,
      idle: this.#http.pool.size,
      inFlight: this.#inFlight.total(),
    };
  }

  /** Lets nothing new in and gives ports and socket free at once; what is under way may end within `grace` ms. */
  async close(grace: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#listeners.close();
    this.#tunnelBinding.close();
    // After the ports: who waits for its end may count on them.
    this.#control.close();
    this.#tunnels.close();
    this.#intake.closeIdle();
    this.#http.close();
    await this.#idle(performance.now() + grace);
    this.#reporter.close();
    this.#intake.destroy();
    this.#http.destroy();
    this.#tunnels.destroy();
    this.#peers.destroy();
  }

  #onMessage(message: DaemonToMesh): void {
    switch (message.kind) {
      case 'table':
        void this.#apply(message.table);
        return;
      case 'locals':
        this.#locals.replace(message.locals);
        return;
      case 'identity':
        void this.#renew();
        return;
      case 'quit':
        this.#options.onQuit();
    }
  }

  async #apply(table: EndpointTable): Promise<void> {
    const { logger, config } = this.#options;
    if (table.clusterId !== config.clusterId) {
      logger.warn({ clusterId: table.clusterId }, 'an endpoint table of another cluster was ignored');
      return;
    }
    this.#members = new Set(table.nodes.map(({ nodeId }) => nodeId));
    this.#routes.apply(table);
    this.#peers.apply(table);
    this.#tunnels.membersChanged();
    this.#intake.tableChanged();
    const active = endpointsOf(table).filter(({ state }) => state === 'active');
    this.#http.pool.keepOnly(new Set(active.map(endpointKey)));
    this.#reporter.changed();
    await this.#listeners.apply(this.#routes.publishedPorts());
    // A later table may have been acknowledged meanwhile, which says more.
    this.#acked = Math.max(this.#acked, table.number);
    this.#reporter.changed();
  }

  async #renew(): Promise<void> {
    const { loadIdentity, config, logger } = this.#options;
    try {
      this.#identity.replace(await loadIdentity(config.identityFile));
    } catch (error) {
      logger.error({ err: errorMessage(error) }, 'the renewed identity cannot be read; the present one stays in use');
    }
  }

  #accept(socket: Socket, publishedPort: number): void {
    const route = this.#routes.get(publishedPort);
    if (route === undefined || this.#closing) socket.resetAndDestroy();
    else this.#intake.accept(socket, route);
  }

  async #idle(deadline: number): Promise<void> {
    while (this.#intake.open + this.#tunnels.open > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK));
      this.#http.close();
    }
  }
}
