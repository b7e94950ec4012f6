// What a command of the CLI takes, from the start of its process to its end, beside docker's on the same daemon.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineServer } from '../../test/support/engine-server.js';
import { socketRequest } from '../../test/support/socket-request.js';
import { fill, serviceName } from '../api/fill.js';
import { median } from '../cluster/swarms.js';

const ROUNDS = Number(process.env.ROUNDS ?? 20);
const SERVICES = 10;
const REPLICAS = 5;
/** Nothing else listens there. */
const ADDRESS = '127.10.20.30';

const program = join(process.cwd(), 'dist', 'bin', 'bale.js');
const directory = await mkdtemp(join(tmpdir(), 'bale-commands-'));
const socket = join(directory, 'bale.sock');
const service = serviceName(1);

const onBoth = (...words: string[]): readonly (readonly [string, readonly string[]])[] =>
  [program, 'docker'].map((client) => [client, ['-H', `unix://${socket}`, ...words]]);

const COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  [process.execPath, ['-e', '0']],
  [program, ['--help']],
  [program, ['__complete', '--', '-H', `unix://${socket}`, 'service', 'ps', '']],
  ...onBoth('service', 'ls'),
  ...onBoth('service', 'ps', service),
  ...onBoth('service', 'inspect', service),
  ...onBoth('service', 'update', '--detach', '--label-add', 'a=b', service),
  ...onBoth('node', 'ls'),
];

interface Run {
  /** Milliseconds. */
  readonly wall: number;
  readonly processor: number;
}

/** Of all children that have ended, in clock ticks of 10 ms; over all runs of a command that is exact enough. */
async function childTicks(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[13]) + Number(fields[14]);
}

async function run(command: string, args: readonly string[]): Promise<Run> {
  const before = await childTicks();
  const start = performance.now();
  const child = spawn(command, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null]; // what `close` says
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code ?? 'none'}`);
  return { wall: performance.now() - start, processor: ((await childTicks()) - before) * 10 };
}

async function startDaemon(engine: string): Promise<ChildProcess> {
  const daemon = spawn(
    program,
    [
      ...['daemon', `--socket=${socket}`, `--data-dir=${join(directory, 'data')}`, `--engine=unix://${engine}`],
      ...[`--listen-addr=${ADDRESS}:2377`, `--advertise-addr=${ADDRESS}`, `--mesh-addr=${ADDRESS}:2378`],
    ],
    { stdio: 'ignore' },
  );
  while ((await socketRequest(socket, '/_ping').catch(() => undefined)) === undefined) {
    if (daemon.exitCode !== null) throw new Error(`bale daemon: exit code ${daemon.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return daemon;
}

const engine = new EngineServer(join(directory, 'engine.sock'));
await engine.start();
const daemon = await startDaemon(engine.socketPath);
try {
  const body = { ListenAddr: `${ADDRESS}:2377`, AdvertiseAddr: ADDRESS };
  const { status, text } = await socketRequest(socket, '/swarm/init', { method: 'POST', body });
  if (status !== 200) throw new Error(text);
  await fill({ name: 'bale', socket }, SERVICES, REPLICAS, 60);
  const runs = COMMANDS.map((): Run[] => []);
  // In turn, so that what else the machine does is spread over all.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, [command, args]] of COMMANDS.entries()) runs[index]?.push(await run(command, args));
  }
  for (const [index, [command, args]] of COMMANDS.entries()) {
    const all = runs[index] ?? [];
    const walls = all.map(({ wall }) => wall);
    const processor = all.reduce((sum, each) => sum + each.processor, 0) / all.length;
    const name = command === process.execPath ? 'node' : command === program ? 'bale' : command;
    const words = args.filter((word) => word !== '-H' && !word.startsWith('unix://')).join(' ');
    console.log(
      `${`${name} ${words}`.padEnd(62)} median ${median(walls).toFixed(0)} ms   best ${Math.min(...walls).toFixed(0)} ms   processor ${processor.toFixed(0)} ms`,
    );
  }
} finally {
  // The mesh ends with the membership, not with the daemon.
  await socketRequest(socket, '/swarm/leave?force=1', { method: 'POST' }).catch(() => undefined);
  const ended = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  await ended;
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
}
