import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { BaleError, errorMessage } from '../../core/errors.js';

/**
 * Node options of a mesh process. A small young generation: at full load it keeps 70 MB resident
 * instead of 100, and costs nothing that can be measured.
 */
const NODE_OPTIONS = '--max-semi-space-size=2';

/**
 * Of glibc's allocator, for what Node takes outside of JavaScript's heap: buffers, TLS, HTTP/2. One arena, and
 * free memory at its end is given back from 128 KiB on. By default the bound grows with what was freed, to
 * 64 MiB, and a mesh stays larger after each load.
 */
const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' };

export interface MeshChild {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Rejects with BALE_MESH_START_FAILED, which says why, when the process ends; never resolves. */
  readonly ended: Promise<never>;
}

/**
 * Starts a mesh process that outlives this one: a session of its own, its log in a file that it
 * bounds itself. With `channel` there is an IPC channel to it, by which it asks for sockets. Under
 * systemd the unit needs `KillMode=process`.
 */
export async function spawnMesh(
  command: readonly string[],
  configFile: string,
  logFile: string,
  channel: 'ipc' | 'ignore' = 'ignore',
): Promise<MeshChild> {
  const [program = process.execPath, ...args] = command;
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(program, [...args, '--config', configFile], {
      detached: true,
      stdio: ['ignore', log, log, channel],
      cwd: '/',
      env: { ...MALLOC, ...process.env, NODE_OPTIONS: withOptions(process.env.NODE_OPTIONS ?? '') },
    });
    const ended = new Promise<never>((_resolve, reject) => {
      child.once('error', (error) => {
        reject(failed(errorMessage(error)));
      });
      child.once('exit', (code, signal) => {
        void lastError(logFile).then((text) => {
          reject(failed(text ?? `it ended with ${signal ?? `status ${code ?? 0}`}, see ${logFile}`));
        });
      });
    });
    ended.catch(() => undefined);
    child.unref();
    if (child.pid === undefined) return await ended;
    return { pid: child.pid, process: child, ended };
  } finally {
    closeSync(log);
  }
}

/** Once, also where one mesh starts the next. */
const withOptions = (present: string): string =>
  present.includes(NODE_OPTIONS) ? present : `${present} ${NODE_OPTIONS}`.trim();

const failed = (reason: string): BaleError =>
  new BaleError(`the mesh process ended: ${reason}`, { kind: 'unavailable', code: 'BALE_MESH_START_FAILED' });

/** The last error in the log of the mesh. */
async function lastError(logFile: string): Promise<string | undefined> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n');
  try {
    const last: unknown = JSON.parse(lines.at(-1) ?? '');
    return typeof last === 'object' && last !== null && 'err' in last ? String(last.err) : undefined;
  } catch {
    return lines.at(-1) === '' ? undefined : lines.at(-1);
  }
}
