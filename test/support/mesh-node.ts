import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJsonLines, writeJsonLine } from '../../agent/mesh/json-lines.js';
import { Mesh } from '../../agent/mesh/mesh.js';
import { createMeshLogger } from '../../agent/mesh/mesh-logger.js';
import type { DaemonToMesh, LocalEndpoint, MeshConfig, MeshToDaemon } from '../../agent/mesh/messages.js';
import { systemClock } from '../../core/clock.js';
import { loadIdentity, saveIdentity } from '../../core/identity-file.js';
import type { NodeIdentity } from '../../core/identity.js';
import type { EndpointTable, MeshPeer, PublishedPort } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';

const TUNNEL_PORT = 2378;

/** An address of this machine's loopback that nobody else uses: each may have any port. */
export const loopback = (): string => {
  const part = (): number => 2 + Math.floor(Math.random() * 250);
  return `127.${part()}.${part()}.${part()}`;
};

/** The daemon's end of a control socket. */
export class ControlClient {
  readonly reports: MeshReport[] = [];
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  hello: Extract<MeshToDaemon, { kind: 'hello' }> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', this.#wake);
    readJsonLines(socket, (document) => {
      const message = document as MeshToDaemon; // The mesh under test is the only peer.
      if (message.kind === 'hello') this.hello = message;
      else if (message.kind === 'report') this.reports.push(message.report);
      this.#wake();
    });
  }

  static async connect(path: string): Promise<ControlClient> {
    const socket = connect(path);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const client = new ControlClient(socket);
    await client.until(() => client.reports.length > 0);
    return client;
  }

  get last(): MeshReport | undefined {
    return this.reports.at(-1);
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  send(message: DaemonToMesh): void {
    writeJsonLine(this.#socket, message);
  }

  /** Resolves when `check` holds; it is asked again after each message. */
  async until(check: () => boolean): Promise<void> {
    while (!check()) {
      if (this.isClosed) throw new Error('the mesh closed the connection');
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  readonly #wake = (): void => {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  };
}

/** A mesh in this process, with real sockets and a real identity, and its daemon. */
export class MeshNode {
  readonly nodeId: string;
  readonly address: string;
  readonly mesh: Mesh;
  readonly config: MeshConfig;
  daemon: ControlClient;
  readonly #directory: string;

  private constructor(mesh: Mesh, config: MeshConfig, daemon: ControlClient, directory: string) {
    this.nodeId = config.nodeId;
    this.address = config.publishAddr;
    this.mesh = mesh;
    this.config = config;
    this.daemon = daemon;
    this.#directory = directory;
  }

  /**
   * `connectBudget`: ms for which a connection without a replica is held, and which the dials for one share. By
   * default more than a busy machine needs for anything; tests of its end give a short one.
   */
  static async start(identity: NodeIdentity, connectBudget = 20_000, address = loopback()): Promise<MeshNode> {
    const directory = await mkdtemp(join(tmpdir(), 'mesh-'));
    const config = await meshConfig(identity, directory, address);
    const mesh = await Mesh.start({
      config,
      loadIdentity,
      logger: createMeshLogger(config.logLevel),
      clock: systemClock,
      random: Math.random,
      connectBudget,
      onQuit: () => undefined,
    });
    return new MeshNode(mesh, config, await ControlClient.connect(config.socket), directory);
  }

  get peer(): MeshPeer {
    return { nodeId: this.nodeId, meshAddr: this.config.listenAddr };
  }

  setLocals(locals: readonly LocalEndpoint[]): void {
    this.daemon.send({ kind: 'locals', locals });
  }

  /** Resolves when the mesh acknowledged it. */
  async setTable(table: EndpointTable): Promise<void> {
    this.daemon.send({ kind: 'table', table });
    await this.daemon.until(() => (this.daemon.last?.tableNumber ?? 0) >= table.number);
  }

  async close(): Promise<void> {
    this.daemon.close();
    await this.mesh.close(0);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Writes the identity into `directory` and returns the config of a mesh that lives there. */
export async function meshConfig(identity: NodeIdentity, directory: string, address: string): Promise<MeshConfig> {
  const identityFile = join(directory, 'identity.pem');
  await saveIdentity(identityFile, identity);
  return {
    nodeId: identity.nodeId,
    clusterId: identity.clusterId,
    identityFile,
    listenAddr: `${address}:${TUNNEL_PORT}`,
    publishAddr: address,
    socket: join(directory, 'mesh.sock'),
    logLevel: process.env.MESH_LOG ?? 'silent',
  };
}

let tableNumber = 0;

/** The next table of a cluster. */
export const endpointTable = (
  clusterId: string,
  nodes: readonly MeshPeer[],
  ports: readonly PublishedPort[],
): EndpointTable => ({ number: (tableNumber += 1), clusterId, nodes, ports });

/** Port 8080 of service `web`, unless said otherwise. */
export const publishedPort = (
  endpoints: PublishedPort['endpoints'],
  fields: Partial<PublishedPort> = {},
): PublishedPort => ({
  publishedPort: 8080,
  protocol: 'tcp',
  mode: 'auto',
  serviceId: 'service1',
  serviceName: 'web',
  endpoints,
  ...fields,
});
