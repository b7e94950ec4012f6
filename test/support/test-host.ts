import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { isAlive, killNamespace, namespaceProcesses, type Namespace } from './namespace.js';
import { eventually } from './eventually.js';
import { must, run, type Output, type RunOptions } from './run.js';

/** Tests and measurements run in the repository's root. */
const baleProgram = join(process.cwd(), 'dist', 'bin', 'bale.js');

/** One machine of the hosts ring: a network namespace with a real Docker Engine and a bale daemon. */
export class TestHost {
  readonly name: string;
  readonly address: string;
  readonly directory: string;
  readonly engineSocket: string;
  readonly baleSocket: string;
  readonly #namespace: Namespace;
  #engineFlags: readonly string[] = [];
  #machine: ChildProcess | undefined;
  #engine: ChildProcess | undefined;
  #daemon: ChildProcess | undefined;

  constructor(name: string, namespace: Namespace, directory: string) {
    this.name = name;
    this.address = namespace.address;
    this.directory = directory;
    this.engineSocket = join(directory, 'docker.sock');
    this.baleSocket = join(directory, 'bale.sock');
    this.#namespace = namespace;
  }

  /** Starts the Engine, with the flags of its first start too, and waits until it answers. */
  async startEngine(flags: readonly string[] = []): Promise<void> {
    this.#engineFlags = [...this.#engineFlags, ...flags];
    await mkdir(this.directory, { recursive: true });
    const machine = await this.#ownMounts();
    const at = (name: string): string => join(this.directory, name);
    // A dockerd that was killed took its containerd along, but while nobody has reaped that process its
    // pid file makes the next dockerd wait for it.
    await rm(join(at('exec'), 'containerd', 'containerd.pid'), { force: true });
    this.#engine = this.#spawn('dockerd.log', 'nsenter', [
      ...['-t', String(machine), '-m', '-u', 'dockerd'],
      ...['--data-root', at('docker'), '--exec-root', at('exec'), '--pidfile', at('docker.pid')],
      ...['-H', `unix://${this.engineSocket}`, ...this.#engineFlags],
    ]);
    await this.#answers(this.engineSocket, this.#engine, 'dockerd.log');
  }

  /** The process that holds the host's mounts and name, so that an Engine that is started again finds them. */
  async #ownMounts(): Promise<number> {
    if (this.#machine?.exitCode === null && this.#machine.pid !== undefined) return this.#machine.pid;
    // Without a resolver that fails at once an Engine spends 10 s per image look-up.
    const resolver = join(this.directory, 'resolv.conf');
    await writeFile(resolver, 'nameserver 127.0.0.1\n');
    const script = `hostname ${this.name} && mount --bind ${resolver} /etc/resolv.conf && echo made && exec sleep infinity`;
    const machine = this.#spawn('machine.log', 'unshare', ['-m', '-u', 'sh', '-c', script]);
    await new Promise((resolve, reject) => {
      machine.stdout?.once('data', resolve);
      machine.once('exit', () => {
        reject(new Error(`${this.name}: its namespaces could not be made`));
      });
    });
    this.#machine = machine;
    return machine.pid ?? 0;
  }

  /** Ends the Engine alone with SIGKILL; containers die with it or not, as the Engine has it. */
  async killEngine(): Promise<void> {
    const pidFile = join(this.directory, 'exec', 'containerd', 'containerd.pid');
    const containerd = Number(await readFile(pidFile, 'utf8'));
    await ended(this.#engine, 'SIGKILL');
    // containerd dies with its parent, a moment later; an Engine started in between waits for it in vain.
    await eventually('containerd to be gone', () => Promise.resolve(!isAlive(containerd)));
    this.#engine = undefined;
  }

  /** Starts the bale daemon and waits until its socket answers. */
  async startDaemon(extra: readonly string[] = []): Promise<void> {
    this.#daemon = this.#spawn('bale.log', baleProgram, [
      'daemon',
      `--socket=${this.baleSocket}`,
      `--data-dir=${join(this.directory, 'bale')}`,
      `--engine=unix://${this.engineSocket}`,
      `--listen-addr=${this.address}:2377`,
      `--advertise-addr=${this.address}`,
      `--mesh-addr=${this.address}:2378`,
      `--hostname=${this.name}`,
      '--log-level=debug',
      ...extra,
    ]);
    await this.#answers(this.baleSocket, this.#daemon, 'bale.log');
  }

  get daemonPid(): number {
    const pid = this.#daemon?.pid;
    if (pid === undefined) throw new Error(`${this.name}: no daemon was started`);
    return pid;
  }

  /** Ends the bale daemon alone; mesh and containers go on. */
  async stopDaemon(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await ended(this.#daemon, signal);
    this.#daemon = undefined;
  }

  /** Runs the bale CLI against this host's daemon. */
  bale(...args: string[]): Promise<string> {
    return must(baleProgram, ['-H', `unix://${this.baleSocket}`, ...args]);
  }

  /** As `bale`, for commands that may fail. */
  tryBale(...args: string[]): Promise<Output> {
    return run(baleProgram, ['-H', `unix://${this.baleSocket}`, ...args]);
  }

  /** Runs a command on this host. */
  run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
    return run('nsenter', [`--net=/run/netns/${this.#namespace.name}`, command, ...args], options);
  }

  /** Starts a command on this host that goes on until it is killed. */
  spawn(command: string, args: readonly string[]): ChildProcess {
    return this.#spawn('command.log', command, args);
  }

  /** The Engine's own command line client, past bale. */
  docker(...args: string[]): Promise<string> {
    return must('docker', ['-H', `unix://${this.engineSocket}`, ...args]);
  }

  /** Pulls the network cable. */
  cut(): Promise<string> {
    return must('ip', ['link', 'set', this.#namespace.cable, 'down']);
  }

  /** Puts the network cable back. */
  mend(): Promise<string> {
    return must('ip', ['link', 'set', this.#namespace.cable, 'up']);
  }

  /** Ends everything on the host at once: cable, daemons, containers. What is on disk stays. */
  async powerOff(): Promise<void> {
    await this.cut();
    await killNamespace(this.#namespace.name);
    this.#machine = undefined;
    this.#engine = undefined;
    this.#daemon = undefined;
  }

  /** Process ids of this host's running containers. */
  async containerPids(): Promise<readonly number[]> {
    const ids = (await this.docker('ps', '-q')).split('\n').filter((id) => id !== '');
    if (ids.length === 0) return [];
    const pids = await this.docker('inspect', '-f', '{{.State.Pid}}', ...ids);
    return pids.trim().split('\n').map(Number);
  }

  /** Ends the bale daemon and every container with SIGKILL at once; the mesh too unless `keepMesh`. The Engine goes on. */
  async crash(options: { readonly keepMesh: boolean }): Promise<void> {
    const containers = await this.containerPids();
    const bale = await this.baleProcesses();
    const doomed = options.keepMesh ? bale.filter(({ command }) => !command.includes(' mesh --config ')) : bale;
    for (const pid of [...doomed.map(({ pid }) => pid), ...containers]) process.kill(pid, 'SIGKILL');
    this.#daemon = undefined;
  }

  /** The bale processes of this host: daemon and mesh. */
  async baleProcesses(): Promise<readonly { readonly pid: number; readonly command: string }[]> {
    return (await namespaceProcesses(this.#namespace.name)).filter(({ command }) => command.includes(baleProgram));
  }

  /** The daemon's log, for a failing test. */
  log(): Promise<string> {
    return readFile(join(this.directory, 'bale.log'), 'utf8');
  }

  #spawn(log: string, command: string, args: readonly string[]): ChildProcess {
    const child = spawn('nsenter', [`--net=/run/netns/${this.#namespace.name}`, command, ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const file = createWriteStream(join(this.directory, log), { flags: 'a' });
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    return child;
  }

  async #answers(socketPath: string, child: ChildProcess, log: string): Promise<void> {
    const deadline = Date.now() + 90_000;
    while (!(await pings(socketPath))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(
          `${this.name}: ${socketPath} does not answer\n${await readFile(join(this.directory, log), 'utf8')}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20)); // another process: there is no event to wait for
    }
  }
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

function ended(child: ChildProcess | undefined, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.kill(signal);
  });
}
