import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';
import { writeJsonLine } from '../mesh/json-lines.js';
import type { DaemonToMesh, LocalEndpoint, MeshRole, MeshToDaemon } from '../mesh/messages.js';
import { connectMesh, type MeshConnection } from './mesh-connection.js';

/** Looks in a row at which a mesh may have said nothing: then it hangs. */
const MOST_SILENT = 5;

export interface MemberEvents {
  /** Its role or its report changed. */
  readonly onReport: () => void;
  /** What it says of a process that it was asked to start. */
  readonly onSpawn: (message: Extract<MeshToDaemon, { kind: 'spawned' | 'spawn-failed' }>) => void;
}

/** One mesh process that runs, and what it said last. */
export class MeshMember {
  readonly connection: MeshConnection;
  role: MeshRole = 'follower';
  report: MeshReport = { tableNumber: 0, bindErrors: [], inFlight: {} };
  outdated = false;
  #wasHeard = true;
  #silences = 0;

  private constructor(connection: MeshConnection) {
    this.connection = connection;
  }

  /** Undefined when nobody listens at `path`; throws BALE_MESH_SOCKET when no mesh answers there. */
  static async connect(path: string, events: MemberEvents): Promise<MeshMember | undefined> {
    const early: MeshToDaemon[] = [];
    let take = (message: MeshToDaemon): unknown => early.push(message);
    const connection = await connectMesh(path, (message) => take(message));
    if (connection === undefined) return undefined;
    const member = new MeshMember(connection);
    take = (message) => {
      member.#take(message, events);
    };
    early.forEach(take);
    return member;
  }

  get pid(): number {
    return this.connection.pid;
  }

  send(message: DaemonToMesh): void {
    writeJsonLine(this.connection.socket, message);
  }

  /** All that a mesh needs to route. Locals first: a table routes to them. */
  brief(locals: readonly LocalEndpoint[] | undefined, table: EndpointTable | undefined): void {
    if (locals !== undefined) this.send({ kind: 'locals', locals });
    if (table !== undefined) this.send({ kind: 'table', table });
  }

  /** To be called now and then. False when it said nothing for several calls: it hangs. Else it is asked for a sign of life. */
  checkAlive(): boolean {
    this.#silences = this.#wasHeard ? 0 : this.#silences + 1;
    this.#wasHeard = false;
    if (this.#silences >= MOST_SILENT) return false;
    this.send({ kind: 'ping' });
    return true;
  }

  #take(message: MeshToDaemon, events: MemberEvents): void {
    this.#wasHeard = true;
    switch (message.kind) {
      case 'hello':
      case 'pong':
        return;
      case 'report':
        this.role = message.role;
        this.report = message.report;
        events.onReport();
        return;
      case 'spawned':
      case 'spawn-failed':
        events.onSpawn(message);
    }
  }
}

export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
