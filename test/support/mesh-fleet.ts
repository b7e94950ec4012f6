import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPid } from '../../agent/mesh/control-path.js';
import type { MeshConfig } from '../../agent/mesh/messages.js';
import { killProcess } from '../../agent/mesh-link/mesh-member.js';
import { startMeshLink, type MeshProcessLink } from '../../agent/mesh-link/mesh-process.js';
import { systemClock } from '../../core/clock.js';
import type { NodeIdentity } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import type { MeshPeer } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';
import { compile } from './compile.js';
import { eventually } from './eventually.js';
import { loopback, meshConfig } from './mesh-node.js';

/** The program of a mesh process, compiled. */
export interface MeshProgram {
  readonly path: string;
  dispose(): Promise<void>;
}

export async function compileMesh(): Promise<MeshProgram> {
  const compiled = await compile('agent/mesh/main.ts');
  const path = join(compiled.entry, '..', 'run-mesh.js');
  await writeFile(path, "import { runMeshCommand } from './main.js';\nawait runMeshCommand(process.argv.slice(2));\n");
  return { path, dispose: () => compiled.dispose() };
}

/** How a daemon starts its link to the processes. */
export interface LinkStart {
  readonly changes?: Partial<MeshConfig>;
  readonly processes?: number;
  /** Another program than that of the fleet. */
  readonly program?: string;
}

/** The real mesh processes of one node in a directory of its own, and the links of daemons to them. */
export class MeshFleet {
  readonly directory: string;
  readonly config: MeshConfig;
  readonly #program: MeshProgram;
  readonly #links: MeshProcessLink[] = [];

  private constructor(program: MeshProgram, directory: string, config: MeshConfig) {
    this.#program = program;
    this.directory = directory;
    this.config = config;
  }

  static async create(program: MeshProgram, identity: NodeIdentity): Promise<MeshFleet> {
    const directory = await mkdtemp(join(tmpdir(), 'mesh-fleet-'));
    const config = { ...(await meshConfig(identity, directory, loopback())), version: '1' };
    return new MeshFleet(program, directory, config);
  }

  get address(): string {
    return this.config.publishAddr;
  }

  get peer(): MeshPeer {
    return { nodeId: this.config.nodeId, meshAddr: this.config.listenAddr };
  }

  async link({ changes, processes = 1, program = this.#program.path }: LinkStart = {}): Promise<MeshProcessLink> {
    const started = await startMeshLink({
      config: { ...this.config, ...changes },
      configFile: join(this.directory, 'mesh.json'),
      command: [process.execPath, program],
      processes,
      logger: createLogger(process.env.LINK_LOG === undefined ? 'silent' : 'info'),
      clock: systemClock,
    });
    this.#links.push(started);
    return started;
  }

  /** Of the processes that live. */
  async pids(): Promise<readonly number[]> {
    return (await readdir(this.directory))
      .flatMap((file) => controlPid(this.config.socket, file) ?? [])
      .filter(isAlive);
  }

  async leadPid(): Promise<number> {
    return controlPid(this.config.socket, await readlink(this.config.socket)) ?? 0;
  }

  /** Resolves with the pid of a process other than `before` when it leads. */
  otherLead(before: number): Promise<number> {
    return eventually('another to lead', async () => {
      const lead = await this.leadPid();
      return lead !== before && lead;
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.quit()));
    for (const pid of await this.pids()) killProcess(pid);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Resolves with the first report, the present one included, for which `check` holds. */
export const reported = (from: MeshProcessLink, check: (report: MeshReport) => boolean): Promise<MeshReport> =>
  new Promise((resolve) => {
    const unsubscribe = from.onReport((report) => {
      if (!check(report)) return;
      unsubscribe();
      resolve(report);
    });
  });

/** Resolves when the process has ended. */
export const gone = (pid: number): Promise<unknown> =>
  eventually(`process ${pid} to end`, () => Promise.resolve(!isAlive(pid)), { seconds: 30 });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
