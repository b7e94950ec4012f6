import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatHostPort } from '../../core/address.js';
import { systemClock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import type { MeshHandle, NodeParts } from '../../daemon/cluster-node.js';
import { type Daemon, startDaemon } from '../../daemon/daemon.js';
import { type DaemonOptions, parseDaemonOptions } from '../../daemon/options.js';
import type { MeshReport } from '../../proto/session.js';
import { EngineServer } from './engine-server.js';
import { freePort } from './free-port.js';
import { SimulatedEngine } from './simulated-executor.js';
import { SocketClient } from './socket-client.js';

/** A mesh that routes nothing: it takes each table and says so. */
export class QuietMesh implements MeshHandle {
  /** What the daemon did with it. */
  readonly history: string[] = ['started'];
  readonly #listeners = new Set<(report: MeshReport) => void>();

  setTable({ number }: { readonly number: number }): void {
    for (const listener of this.#listeners) listener({ tableNumber: number, bindErrors: [], inFlight: {} });
  }

  setLocals(): void {
    // Nothing is routed, so nobody asks where to.
  }

  onReport(listener: (report: MeshReport) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  identityRenewed(): void {
    this.history.push('renewed');
  }

  replace(): void {
    this.history.push('replaced');
  }

  quit(): Promise<void> {
    this.history.push('quit');
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.history.push('closed');
    return Promise.resolve();
  }
}

/** One machine: a daemon in this process on real sockets, a simulated Engine for containers, a quiet mesh. */
export class DaemonNode {
  readonly options: DaemonOptions;
  readonly client: SocketClient;
  readonly listenAddr: string;
  /** One per start of a member. */
  readonly meshes: QuietMesh[] = [];
  readonly #containers = new SimulatedEngine({ clock: systemClock });
  #daemon: Daemon | undefined;

  private constructor(options: DaemonOptions) {
    this.options = options;
    this.client = new SocketClient(options.socket);
    this.listenAddr = formatHostPort(options.listenAddr);
  }

  static async make(
    root: string,
    name: string,
    engineSocket: string,
    host: string,
    extra: readonly string[] = [],
  ): Promise<DaemonNode> {
    const [listen, mesh] = [await freePort(), await freePort()];
    const command = parseDaemonOptions(
      [
        ...['--socket', join(root, name, 'bale.sock'), '--data-dir', join(root, name, 'data')],
        ...['--engine', engineSocket, '--hostname', name, '--advertise-addr', host],
        ...['--listen-addr', formatHostPort({ host, port: listen })],
        ...['--mesh-addr', formatHostPort({ host, port: mesh })],
        ...extra,
      ],
      {},
    );
    if (command.kind !== 'run') throw new Error(`unexpected command ${command.kind}`);
    return new DaemonNode(command.options);
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('the daemon does not run');
    return this.#daemon;
  }

  async start(): Promise<void> {
    const parts: NodeParts = {
      executor: ({ nodeId }) => Promise.resolve(this.#containers.executor(nodeId)),
      mesh: () => {
        const mesh = new QuietMesh();
        this.meshes.push(mesh);
        return Promise.resolve(mesh);
      },
      build: '',
    };
    this.#daemon = await startDaemon(this.options, { parts, clock: systemClock, logger: createLogger('silent') });
  }

  async stop(): Promise<void> {
    await this.#daemon?.close();
    this.#daemon = undefined;
  }
}

/** Machines of one test, each with a daemon that runs, before one Engine. */
export class DaemonCluster {
  readonly root: string;
  readonly engine: EngineServer;
  readonly #nodes: DaemonNode[] = [];

  private constructor(root: string) {
    this.root = root;
    this.engine = new EngineServer(join(root, 'engine.sock'));
  }

  static async start(): Promise<DaemonCluster> {
    const cluster = new DaemonCluster(await mkdtemp(join(tmpdir(), 'daemon-cluster-')));
    await cluster.engine.start();
    return cluster;
  }

  /** `extra`: more options of its daemon. */
  async node(name: string, host = '127.0.0.1', extra: readonly string[] = []): Promise<DaemonNode> {
    const node = await DaemonNode.make(this.root, name, this.engine.socketPath, host, extra);
    this.#nodes.push(node);
    await node.start();
    return node;
  }

  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await this.engine.stop();
    await rm(this.root, { recursive: true, force: true });
  }
}
