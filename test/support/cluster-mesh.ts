import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { MeshLink } from '../../agent/agent-types.js';
import type { LocalEndpoint } from '../../agent/mesh/messages.js';
import type { NodeIdentity } from '../../core/identity.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';
import { VOUCH_PATH, type Vouch } from '../../proto/vouch.js';

/**
 * The mesh of a simulated node: no ports and no tunnels, but a real mTLS port on which managers ask
 * for its vouch. Like the real one it is a process of its own: it outlives the agent.
 */
export class SimulatedMesh implements MeshLink {
  readonly addr: string;
  table: EndpointTable | undefined;
  /** Published ports that something else has taken. */
  readonly takenPorts = new Set<number>();
  /** Tables are routed by only once released: the mesh lags. */
  held = false;
  /** Requests under way through this mesh, by task. */
  readonly inFlight = new Map<string, number>();
  #waiting: EndpointTable | undefined;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<(report: MeshReport) => void>();
  readonly #isAlive: (taskId: string) => boolean;
  readonly #nodeId: string;
  #locals: readonly LocalEndpoint[] = [];
  /** The machine is cut off: what reaches it is never answered. */
  silent = false;
  /** Number of vouches given. */
  vouches = 0;

  private constructor(server: Http2SecureServer, nodeId: string, isAlive: (taskId: string) => boolean) {
    this.#server = server;
    this.#nodeId = nodeId;
    this.#isAlive = isAlive;
    this.addr = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('sessionError', () => undefined);
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      if (this.silent || headers[':path'] !== VOUCH_PATH) return;
      this.vouches += 1;
      stream.respond({ ':status': 200 });
      stream.end(JSON.stringify(this.vouch()));
    });
  }

  static async start(identity: NodeIdentity, isAlive: (taskId: string) => boolean): Promise<SimulatedMesh> {
    const server = createSecureServer({
      key: identity.privateKey,
      cert: identity.certificate,
      ca: identity.trustRoot,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SimulatedMesh(server, identity.nodeId, isAlive);
  }

  vouch(): Vouch {
    const ids = this.#locals.map(({ taskId }) => taskId);
    return {
      nodeId: this.#nodeId,
      alive: ids.filter((id) => this.#isAlive(id)),
      dead: ids.filter((id) => !this.#isAlive(id)),
    };
  }

  setTable(table: EndpointTable): void {
    this.#waiting = table;
    if (!this.held) this.takeTable();
  }

  /** Routes by the newest table that it was sent, and says so. */
  takeTable(): void {
    this.table = this.#waiting;
    this.#report();
  }

  /** Whether new requests go to this task. */
  routesTo(taskId: string): boolean {
    return (this.table?.ports ?? []).some(({ endpoints }) =>
      endpoints.some((endpoint) => endpoint.taskId === taskId && endpoint.state === 'active'),
    );
  }

  setInFlight(taskId: string, count: number): void {
    if (count === 0) this.inFlight.delete(taskId);
    else this.inFlight.set(taskId, count);
    this.#report();
  }

  setLocals(locals: readonly LocalEndpoint[]): void {
    this.#locals = locals;
  }

  onReport(listener: (report: MeshReport) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The process ends: from now on its port refuses. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #report(): void {
    const report: MeshReport = {
      tableNumber: this.table?.number ?? 0,
      bindErrors: (this.table?.ports ?? [])
        .filter(({ publishedPort }) => this.takenPorts.has(publishedPort))
        .map(({ publishedPort, protocol }) => ({
          publishedPort,
          protocol,
          error: `listen tcp 0.0.0.0:${publishedPort}: address already in use`,
        })),
      inFlight: Object.fromEntries(this.inFlight),
    };
    for (const listener of this.#listeners) listener(report);
  }
}
