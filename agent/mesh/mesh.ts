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
import { LocalLinks } from './local-links.js';
import { Locals } from './locals.js';
import { Heirs } from './heirs.js';
import { ipcChannel, type IpcChannel } from './ipc-channel.js';
import { spawnMesh } from './mesh-spawn.js';
import type { DaemonToMesh, MeshConfig, MeshRole, MeshToDaemon } from './messages.js';
import { mostConnections } from './open-files.js';
import { Peers } from './peers.js';
import { PublishedPorts } from './published-ports.js';
import { Reporter } from './reporter.js';
import { endpointsOf, Routes } from './routes.js';
import { sharedSockets, type SharedSockets } from './shared-sockets.js';
import { SocketSource } from './socket-source.js';
import { TunnelCredentials } from './tunnel-credentials.js';
import { TunnelServer } from './tunnel-server.js';
import { UdpFront } from './udp-front.js';

/** ms for finding an endpoint that answers, and the most connections that may wait for one. */
const CONNECT_BUDGET = 2_000;
const MOST_WAITING = 1_024;
const DRAIN_CHECK = 50;
const RETIRED_CHECK = 250;
/** How long a process that takes its first sockets waits for the ways to the other nodes, ms. */
const WARM_UP = 1_000;
/** ms after which a retired process ends the connections of HTTP clients that ask for nothing. */
const RETIRED_IDLE = 5 * 60_000;
/** The longest that a retired process finishes what is under way, ms. */
const RETIRED_LIFE = 12 * 3_600_000;

export interface MeshOptions {
  readonly config: MeshConfig;
  readonly loadIdentity: (file: string) => Promise<NodeIdentity>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** ms for finding an endpoint that answers; 2 s unless given. */
  readonly connectBudget?: number;
  /** To the mesh process that started this one and shares its sockets; absent: this one leads. */
  readonly parent?: IpcChannel;
  /** The daemon asked the mesh to end, or it retired and all that was under way has ended. */
  readonly onQuit: (reason: string) => void;
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
  readonly #ports: PublishedPorts;
  readonly #localLinks: LocalLinks;
  readonly #udp: UdpFront;
  readonly #tunnels: TunnelServer;
  readonly #tunnelPort: number;
  readonly #tunnelHost: string;
  readonly #source: SocketSource;
  readonly #heirs: Heirs;
  readonly #sockets: SharedSockets;
  readonly #reporter: Reporter<MeshToDaemon>;
  readonly #control: ControlSocket;
  #members: ReadonlySet<string> = new Set();
  /** The table whose pickers are in use and whose listeners were tried; never a later one. */
  #acked = 0;
  #closing = false;
  #retired = false;
  /** Undefined while a process that was just started knows no table, by which it could serve. */
  #tunnelBinding: Binding | undefined;

  private constructor(options: MeshOptions, identity: NodeIdentity, control: ControlSocket) {
    const { config, clock, logger, random } = options;
    this.#options = options;
    this.#control = control;
    this.#identity = new IdentitySource(identity);
    this.#reporter = new Reporter<MeshToDaemon>(
      () => this.#state(),
      (state) => {
        control.send(state);
      },
    );
    const { changed } = this.#reporter;
    this.#source = new SocketSource(options.parent, changed);
    this.#heirs = new Heirs(
      logger,
      (message) => {
        control.send(message);
      },
      (channel) => {
        this.#udp.addHeir(channel);
      },
    );
    this.#sockets = sharedSockets(this.#source, this.#heirs);
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
    const budget = options.connectBudget ?? CONNECT_BUDGET;
    const connector = new Connector({
      dial: (endpoint, timeout) => dialler.dial(endpoint, timeout),
      budget,
      mostWaiting: MOST_WAITING,
    });
    const admission = new Admission({ most: mostConnections(), now: () => clock.now(), logger });
    this.#http = new HttpFront({ connector, admission });
    this.#intake = new Intake({ connector, http: this.#http, admission });
    this.#ports = new PublishedPorts({
      host: listenHost(config.publishAddr),
      clock,
      logger,
      sockets: this.#sockets,
      routes: this.#routes,
      udp: () => this.#udp,
      onConnection: (socket, publishedPort) => {
        this.#accept(socket, publishedPort);
      },
      onChange: changed,
    });
    this.#localLinks = new LocalLinks({ locals: this.#locals, isDaemonHere: () => control.isConnected, clock });
    this.#udp = new UdpFront({
      nodeId: config.nodeId,
      host: listenHost(config.publishAddr),
      budget,
      clock,
      logger,
      routes: this.#routes,
      localLinks: this.#localLinks,
      dial: (nodeId, key) => this.#peers.dial(nodeId, key, budget),
      parent: options.parent,
      leads: () => this.#source.leads,
      addresses: () => this.#ports.addresses,
      onChange: changed,
    });
    this.#tunnels = new TunnelServer({
      identity: this.#identity,
      locals: this.#locals,
      localLinks: this.#localLinks,
      isMember: (nodeId) => this.#members.has(nodeId),
      logger,
    });
    const { host, port } = parseHostPort(config.listenAddr, { port: 2378 }, 'mesh address');
    this.#tunnelHost = listenHost(host);
    this.#tunnelPort = port;
  }

  /** Throws when the identity cannot be read or the control socket is taken. A port that is taken is told in the reports. */
  static async start(options: MeshOptions): Promise<Mesh> {
    const identity = await options.loadIdentity(options.config.identityFile);
    const { config, logger } = options;
    const { nodeId, version = '' } = config;
    const hello = { kind: 'hello', pid: process.pid, version, nodeId, since: options.clock.now() } as const;
    // Messages cannot arrive before the next turn of the event loop, when the mesh is there.
    const control = await ControlSocket.open({
      path: config.socket,
      leads: options.parent === undefined,
      logger,
      greeting: () => [hello, mesh.#state()],
      onMessage: (message) => {
        mesh.#onMessage(message);
      },
    });
    const mesh = new Mesh(options, identity, control);
    if (mesh.#source.leads) await mesh.#bindTunnels();
    return mesh;
  }

  get #role(): MeshRole {
    if (this.#retired) return 'retired';
    if (this.#source.leads) return 'lead';
    return this.#source.isOrphan ? 'orphan' : 'follower';
  }

  #state(): MeshToDaemon {
    return { kind: 'report', role: this.#role, report: this.report() };
  }

  report(): MeshReport {
    const tunnelError = this.#tunnelBinding?.error;
    const tunnelErrors = tunnelError === undefined ? [] : [`${tunnelError} (for tunnels of other nodes)`];
    return {
      tableNumber: this.#acked,
      bindErrors: [
        ...this.#ports.errors(),
        ...tunnelErrors.map((error) => ({ publishedPort: this.#tunnelPort, protocol: 'tcp' as const, error })),
      ],
      inFlight: this.#inFlight.watched(),
    };
  }

  /** Whether a daemon could find this mesh. */
  get isReachable(): boolean {
    return this.#control.isReachable;
  }

  /** Connections and UDP sessions of clients, tunnels from other nodes, and idle connections to endpoints: for tests and logs. */
  get open(): {
    readonly clients: number;
    readonly udpSessions: number;
    readonly tunnels: number;
    readonly idle: number;
    readonly inFlight: number;
  } {
    return {
      clients: this.#intake.open,
      udpSessions: this.#udp.open,
      tunnels: this.#tunnels.open,
      idle: this.#http.pool.size,
      inFlight: this.#inFlight.total(),
    };
  }

  /** Lets nothing new in and gives ports and socket free at once; what is under way may end within `grace` ms. */
  async close(grace: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#closeListeners();
    this.#udp.close();
    this.#heirs.close();
    // After the ports: who waits for its end may count on them.
    this.#control.close();
    this.#intake.closeIdle();
    this.#http.close();
    const deadline = performance.now() + grace;
    await this.#ended(DRAIN_CHECK, () => {
      this.#http.close();
      return performance.now() >= deadline;
    });
    this.#reporter.close();
    this.#intake.destroy();
    this.#http.destroy();
    this.#tunnels.destroy();
    this.#localLinks.destroy();
    this.#udp.destroy();
    this.#peers.destroy();
  }

  /**
   * Leaves what is new to the other processes that share the sockets, and finishes what is under way:
   * requests of a client that keeps its connection are answered until one says `Connection: close`.
   */
  async #retire(): Promise<void> {
    if (this.#retired || this.#closing) return;
    this.#retired = true;
    const { clock, logger, onQuit } = this.#options;
    const since = clock.now();
    logger.info(this.open, 'retired: nothing new is let in');
    this.#closeListeners();
    this.#heirs.retire();
    this.#udp.retire();
    this.#control.abdicate();
    this.#http.retire();
    this.#reporter.changed();
    await this.#ended(RETIRED_CHECK, () => {
      const age = clock.now() - since;
      if (age > RETIRED_IDLE) this.#http.closeIdle();
      return age > RETIRED_LIFE;
    });
    onQuit('it was retired, and all that was under way has ended');
  }

  #closeListeners(): void {
    this.#ports.close();
    this.#tunnelBinding?.close();
    this.#tunnels.close();
  }

  async #bindTunnels(): Promise<void> {
    const { clock } = this.#options;
    this.#tunnelBinding ??= new Binding({
      server: this.#tunnels.server,
      host: this.#tunnelHost,
      port: this.#tunnelPort,
      clock,
      sockets: this.#sockets,
      name: 'tunnels',
      onChange: this.#reporter.changed,
    });
    await this.#tunnelBinding.attempted;
  }

  #onMessage(message: DaemonToMesh): void {
    switch (message.kind) {
      case 'table':
        void this.#apply(message.table);
        return;
      case 'locals':
        this.#locals.replace(message.locals);
        this.#localLinks.localsChanged();
        return;
      case 'identity':
        void this.#renew();
        return;
      case 'spawn':
        void this.#heirs.start(async () => {
          const { command, configFile, logFile } = message;
          const child = await spawnMesh(command, configFile, logFile, 'ipc');
          return { pid: child.pid, channel: ipcChannel(child.process), ended: child.ended };
        });
        return;
      case 'lead':
        if (this.#retired || this.#closing) return;
        this.#control.lead();
        this.#source.lead();
        void this.#udp.apply();
        this.#reporter.changed();
        return;
      case 'retire':
        void this.#retire();
        return;
      case 'ping':
        this.#control.send({ kind: 'pong' });
        return;
      case 'quit':
        this.#options.onQuit('the daemon asked for it');
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
    this.#http.pool.keepOnly(new Set(active.map((endpoint) => endpointKey(endpoint))));
    this.#reporter.changed();
    // The first table of a process that another started: it takes connections once it knows the ways.
    if (this.#tunnelBinding === undefined) await this.#peers.warmedUp(WARM_UP);
    if (!this.#retired && !this.#closing) {
      await Promise.all([this.#bindTunnels(), this.#ports.apply()]);
    }
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

  /** Resolves when nothing is under way any more, or `isOver` says so. */
  async #ended(period: number, isOver: () => boolean): Promise<void> {
    while ((this.#intake.open + this.#tunnels.open > 0 || this.#udp.isNeeded) && !isOver()) {
      await new Promise((resolve) => setTimeout(resolve, period));
    }
  }
}
