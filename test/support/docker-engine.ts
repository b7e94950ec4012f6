import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, run } from './run.js';
import { importTestImage } from './test-image.js';

export interface DockerEngineOptions {
  /** Name of the bridge to make, at most 15 characters; must not exist. */
  readonly bridge: string;
  /** Address of the bridge with its prefix, e.g. `10.214.1.1/24`; containers get the rest of the subnet. */
  readonly subnet: string;
  /** More flags for dockerd. */
  readonly flags?: readonly string[];
}

export interface DockerEngine extends AsyncDisposable {
  readonly socketPath: string;
  /** Ends dockerd with SIGKILL; its containers run on until the next start sweeps them. */
  kill(): Promise<void>;
  /** Starts dockerd again after `kill`. */
  start(): Promise<void>;
  /** The Engine's own command line client. */
  docker(...args: string[]): Promise<string>;
}

/**
 * A Docker Engine of its own in the root network namespace, with the test image loaded. Needs root.
 *
 * It leaves the machine's firewall alone (`--iptables=false`): a second Engine would flush the chains of
 * the first. Containers are reachable from this machine over the bridge, and host ports through the
 * Engine's userland proxy; containers cannot reach the outside.
 */
export async function startDockerEngine(options: DockerEngineOptions): Promise<DockerEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'bale-engine-'));
  const socketPath = join(directory, 'docker.sock');
  let child: ChildProcess | undefined;

  const docker = (...args: string[]): Promise<string> => must('docker', ['-H', `unix://${socketPath}`, ...args]);

  const start = async (): Promise<void> => {
    // A dockerd that was killed took its containerd along, but while nobody has reaped that process its
    // pid file makes the next dockerd wait for it.
    await rm(join(directory, 'exec', 'containerd', 'containerd.pid'), { force: true });
    const log = createWriteStream(join(directory, 'dockerd.log'), { flags: 'a' });
    const started = spawn(
      'dockerd',
      [
        `--data-root=${join(directory, 'data')}`,
        `--exec-root=${join(directory, 'exec')}`,
        `--pidfile=${join(directory, 'docker.pid')}`,
        `--host=unix://${socketPath}`,
        `--bridge=${options.bridge}`,
        '--iptables=false',
        '--ip-masq=false',
        ...(options.flags ?? []),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    child = started;
    started.stdout.pipe(log, { end: false });
    started.stderr.pipe(log, { end: false });
    const deadline = Date.now() + 45_000;
    while (!(await pings(socketPath))) {
      if (hasEnded(started) || Date.now() > deadline) {
        throw new Error(`dockerd does not answer:\n${await readFile(join(directory, 'dockerd.log'), 'utf8')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20)); // another process: there is no event to wait for
    }
  };

  const dispose = async (): Promise<void> => {
    if (child !== undefined && !hasEnded(child)) {
      // SIGTERM alone would wait for the stop grace of each container.
      const ids = await docker('ps', '-q').catch(() => '');
      if (ids.trim() !== '') await docker('kill', ...ids.trim().split('\n')).catch(() => '');
      await ended(child, 'SIGTERM');
    }
    await killRest(directory);
    await unmountRest(directory);
    await run('ip', ['link', 'del', options.bridge]);
    await rm(directory, { recursive: true, force: true });
  };

  try {
    await mkdir(join(directory, 'data'));
    await must('ip', ['link', 'add', options.bridge, 'type', 'bridge']);
    await must('ip', ['addr', 'add', options.subnet, 'dev', options.bridge]);
    await must('ip', ['link', 'set', options.bridge, 'up']);
    await start();
    await importTestImage(socketPath);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { socketPath, start, docker, kill: () => ended(child, 'SIGKILL'), [Symbol.asyncDispose]: dispose };
}

const pings = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    const call = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('error', () => {
      resolve(false);
    });
    call.end();
  });

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function ended(child: ChildProcess | undefined, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child === undefined || hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.kill(signal);
  });
}

/** After a crash of dockerd: its containerd, shims (their arguments name the directory) and what runs under them. */
async function killRest(directory: string): Promise<void> {
  const parents = new Map<number, number>();
  const doomed = new Set<number>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const fields = (await readFile(`/proc/${entry}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
      parents.set(pid, Number(fields[1]));
      if ((await readFile(`/proc/${entry}/cmdline`, 'utf8')).includes(directory)) doomed.add(pid);
    } catch {
      // it ended meanwhile
    }
  }
  for (let grown = true; grown;) {
    grown = false;
    for (const [pid, parent] of parents) {
      if (doomed.has(parent) && !doomed.has(pid)) {
        doomed.add(pid);
        grown = true;
      }
    }
  }
  doomed.delete(process.pid);
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended meanwhile
    }
  }
}

async function unmountRest(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(directory)).reverse()) await run('umount', ['-l', mount]);
}
