// Cold starts, init and join, and the resident memory of an idle worker.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHosts } from '../../test/support/hosts.js';
import { must } from '../../test/support/run.js';
import { socketRequest } from '../../test/support/socket-request.js';
import { median } from '../cluster/swarms.js';

const ROUNDS = Number(process.env.ROUNDS ?? 10);
/** An idle worker is looked at after this time, when start-up garbage is gone or not. */
const IDLE_SECONDS = Number(process.env.IDLE_SECONDS ?? 60);
const program = join(process.cwd(), 'dist', 'bin', 'bale.js');

const report = (name: string, ms: readonly number[]): void => {
  console.log(`${name.padEnd(46)} median ${median(ms).toFixed(0)} ms   worst ${Math.max(...ms).toFixed(0)} ms`);
};

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Process start to the first answer of the socket, in a fresh state directory. */
async function daemonStart(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'bale-start-'));
  const socket = join(directory, 'bale.sock');
  const start = performance.now();
  const child = spawn(program, ['daemon', `--socket=${socket}`, `--data-dir=${join(directory, 'data')}`], {
    stdio: 'ignore',
  });
  try {
    for (;;) {
      const answered = await socketRequest(socket, '/_ping').catch(() => undefined);
      if (answered !== undefined) return performance.now() - start;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
}

interface Memory {
  readonly rss: number;
  readonly pss: number;
}

/** Resident (rss) and proportional (pss: pages shared with other processes counted once) memory, MB. */
async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1000;
  return { rss: field('Rss'), pss: field('Pss') };
}

async function repeat(action: () => Promise<number>): Promise<readonly number[]> {
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) all.push(await action());
  return all;
}

report('bale --help', await repeat(() => timed(() => must(program, ['--help']))));
report('bale daemon, to the socket answering', await repeat(daemonStart));

const hosts = await startHosts(2);
try {
  const [manager, worker] = [hosts.host(1), hosts.host(2)];
  const inits: number[] = [];
  const joins: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    inits.push(await timed(() => manager.bale('swarm', 'init', '--advertise-addr', manager.address)));
    const token = (await manager.bale('swarm', 'join-token', '-q', 'worker')).trim();
    joins.push(await timed(() => worker.bale('swarm', 'join', '--token', token, `${manager.address}:2377`)));
    if (round === ROUNDS - 1) break;
    await worker.bale('swarm', 'leave');
    await manager.bale('swarm', 'leave', '--force');
  }
  report('bale swarm init, the whole command', inits);
  report('bale swarm join, the whole command', joins);
  // A fresh daemon, as after a reboot: it did not carry out the rounds above.
  await worker.stopDaemon('SIGTERM');
  for (const { pid } of await worker.baleProcesses()) process.kill(pid, 'SIGKILL');
  await worker.startDaemon();
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000));
  for (const host of [worker, manager]) {
    const processes = await Promise.all(
      (await host.baleProcesses()).map(async ({ pid, command }) => ({
        name: command.includes(' mesh') ? 'mesh' : 'daemon',
        ...(await memoryOf(pid)),
      })),
    );
    const total = (key: 'rss' | 'pss'): string => processes.reduce((sum, memory) => sum + memory[key], 0).toFixed(0);
    const parts = processes.map(({ name, rss, pss }) => `${name} ${rss.toFixed(0)} (pss ${pss.toFixed(0)})`).join(', ');
    console.log(
      `idle ${host === worker ? 'worker' : 'manager'} after ${IDLE_SECONDS} s, resident MB: ${parts}; together ${total('rss')} (pss ${total('pss')})`,
    );
  }
} finally {
  await hosts[Symbol.asyncDispose]();
}
