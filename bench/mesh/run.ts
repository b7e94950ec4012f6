// Requests per second through one hop, 32 keep-alive connections: the mesh beside nginx and HAProxy, all on
// loopback. Rounds are interleaved: each measures every hop once, so that a noisy machine hurts all alike.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ADDRESS, backendConfig, haproxyConfig, haproxyPeerConfig, nginxConfig, nginxHasStream, PORT } from './hops.js';
import { prepareMeshes, tellMesh } from './meshes.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 4);
/** A pattern of the hops to measure, e.g. `HTTP.*mesh`. */
const ONLY = new RegExp(process.env.ONLY ?? '');
const program = join(resolve(process.env.DIST ?? 'dist'), 'bin', 'bale.js');
const run = promisify(execFile);

interface Target {
  readonly group: string;
  readonly name: 'direct' | 'mesh' | 'nginx' | 'haproxy';
  readonly address: string;
  readonly port: number;
}

const through = (group: string, name: Target['name'], port: number): Target => ({
  group,
  name,
  address: name === 'direct' ? ADDRESS.backend : ADDRESS[name],
  port,
});

const TARGETS: readonly Target[] = [
  through('direct', 'direct', PORT.backend),
  through('HTTP, local replica', 'mesh', PORT.http),
  through('HTTP, local replica', 'nginx', PORT.http),
  through('HTTP, local replica', 'haproxy', PORT.http),
  through('TCP, local replica', 'mesh', PORT.tcp),
  through('TCP, local replica', 'nginx', PORT.tcp),
  through('TCP, local replica', 'haproxy', PORT.tcp),
  through('HTTP, other node, TLS', 'mesh', PORT.tlsHttp),
  through('HTTP, other node, TLS', 'haproxy', PORT.tlsHttp),
  through('TCP, other node, TLS', 'mesh', PORT.tlsTcp),
  through('TCP, other node, TLS', 'haproxy', PORT.tlsTcp),
]
  .filter(({ group, name }) => nginxHasStream || name !== 'nginx' || !group.startsWith('TCP'))
  .filter(({ group, name }) => name === 'direct' || ONLY.test(`${group}: ${name}`));

interface Result {
  readonly target: Target;
  /** Requests per second. */
  readonly rate: number;
  /** Processor time of the hop's processes per request, µs. Says more than the rate on a machine that is not idle. */
  readonly cost: number;
}

const children: ChildProcess[] = [];
const hops = new Map<Target['name'], readonly ChildProcess[]>();

function start(command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  children.push(child);
  return child;
}

async function listening(host: string, port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, host);
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Processor time of processes so far, ms (the kernel counts in ticks of 10 ms). */
async function processorTime(processes: readonly ChildProcess[]): Promise<number> {
  let ticks = 0;
  for (const { pid } of processes) {
    const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}

async function measure(target: Target): Promise<Result> {
  const { address, port, name } = target;
  const processes = hops.get(name) ?? [];
  const before = await processorTime(processes);
  const { stdout } = await run('wrk', ['-t1', '-c32', `-d${SECONDS}s`, `http://${address}:${port}/`]);
  const failed = /Socket errors: .*|Non-2xx or 3xx responses: \d+/.exec(stdout);
  if (failed !== null) throw new Error(`${address}:${port}: ${failed[0]}`);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  return {
    target,
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    cost: (((await processorTime(processes)) - before) * 1000) / requests,
  };
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

async function residentMegabytes({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function print(results: readonly Result[]): void {
  const of = (group: string, name: Target['name'], field: 'rate' | 'cost'): number =>
    median(results.filter(({ target }) => target.group === group && target.name === name).map((each) => each[field]));
  const direct = of('direct', 'direct', 'rate');
  console.log(`\ndirect: ${direct.toFixed(0)} requests/s (medians of ${ROUNDS} rounds of ${SECONDS} s)\n`);
  console.log('| hop | requests/s | of direct | mesh ÷ this | processor time per request, µs |\n|---|---|---|---|---|');
  for (const { group, name } of TARGETS.filter((target) => target.name !== 'direct')) {
    const rate = of(group, name, 'rate');
    const ratio = name === 'mesh' ? '' : (of(group, 'mesh', 'rate') / rate).toFixed(2);
    const cells = [`${group}: ${name}`, rate.toFixed(0), (rate / direct).toFixed(2), ratio];
    console.log(`| ${cells.join(' | ')} | ${of(group, name, 'cost').toFixed(0)} |`);
  }
}

const directory = await mkdtemp(join(tmpdir(), 'mesh-bench-'));
try {
  const meshes = await prepareMeshes(directory);
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  start('nginx', '-p', directory, '-c', await file('backend.conf', backendConfig(directory)));
  const nginx = start('nginx', '-p', directory, '-c', await file('nginx.conf', nginxConfig(directory)));
  const haproxies = [
    start('haproxy', '-q', '-f', await file('haproxy.cfg', haproxyConfig(directory))),
    start('haproxy', '-q', '-f', await file('haproxy-peer.cfg', haproxyPeerConfig(directory))),
  ];
  // As a daemon starts them.
  process.env.NODE_OPTIONS = '--max-semi-space-size=2';
  const processes = meshes.map(({ configFile }) => start(process.execPath, program, 'mesh', '--config', configFile));
  hops.set('nginx', [nginx]).set('haproxy', haproxies).set('mesh', processes);
  await Promise.all([listening(ADDRESS.mesh, 2378), listening(ADDRESS.meshPeer, 2378)]);
  const idle = await Promise.all(processes.map(residentMegabytes));
  const daemons = await Promise.all(meshes.map(tellMesh));
  for (const { address, port } of TARGETS) await listening(address, port);

  const results: Result[] = [];
  // A first round that does not count: programs are loaded and code is compiled in it.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const target of TARGETS) {
      const result = await measure(target);
      if (round > 0) results.push(result);
    }
  }
  print(results);
  const after = await Promise.all(processes.map(residentMegabytes));
  console.log(`\nresident memory of the two meshes: idle ${idle.join(', ')} MB, after the load ${after.join(', ')} MB`);
  for (const daemon of daemons) daemon.destroy();
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map(async (child) => child.exitCode ?? (await once(child, 'exit'))));
  await rm(directory, { recursive: true, force: true });
}
