import { lstat } from 'node:fs/promises';
import { pause } from '../../core/abort.js';
import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import { errorMessage } from '../../core/errors.js';
import { controlPath } from '../mesh/control-path.js';
import { writeJsonLine } from '../mesh/json-lines.js';
import { spawnMesh } from '../mesh/mesh-spawn.js';
import type { DaemonToMesh, MeshConfig, MeshToDaemon } from '../mesh/messages.js';
import { decideAdoption } from './adoption.js';
import type { FleetMember } from './fleet.js';
import { connectMesh, type MeshConnection } from './mesh-connection.js';
import { killProcess, MeshMember } from './mesh-member.js';
import type { MeshLinkOptions } from './mesh-process.js';
import { findMeshSockets, isMeshOf } from './mesh-sockets.js';

/** ms from the request for a process to its readiness. */
const START_TIMEOUT = 10_000;
const POLL = 20;
const QUIT_TIMEOUT = 5_000;
const PING_PERIOD = 2_000;
const AFTER_LOSS = 30;
/** One that took so many connections in a row without a word hangs. */
const MOST_SILENT_HELLOS = 2;
/** Between attempts to replace a process that goes on meanwhile. */
const SPAWN_RETRY: BackoffPolicy = { initial: 1_000, max: 60_000 };

export interface FleetEvents {
  readonly onJoined: (member: MeshMember) => void;
  /** One came, went, or said something new. */
  readonly onChange: () => void;
}

/** A process that another was asked to start. */
interface Spawning {
  readonly by: number;
  readonly deadline: number;
  /** Undefined until it has one. */
  pid: number | undefined;
}

/** The mesh processes of this node and the connections to them. Carries out what `planFleet` says. */
export class Fleet {
  readonly #options: MeshLinkOptions;
  readonly #events: FleetEvents;
  readonly #members = new Map<number, MeshMember>();
  /** Connections in a row on which a process said nothing, by pid. */
  readonly #silent = new Map<number, number>();
  #spawning: Spawning | undefined;
  #spawnFailures = 0;
  #maySpawnAt = 0;
  #pingedAt = 0;
  #isLetGo = false;

  constructor(options: MeshLinkOptions, events: FleetEvents) {
    this.#options = options;
    this.#events = events;
  }

  members(): readonly MeshMember[] {
    return [...this.#members.values()];
  }

  asPlanned(): readonly FleetMember[] {
    return this.members().map(({ pid, role, outdated, report, connection }) => ({
      pid,
      role,
      outdated,
      tableNumber: report.tableNumber,
      since: connection.since,
    }));
  }

  get isServing(): boolean {
    return this.members().some(({ role }) => role !== 'retired');
  }

  /** Whether a process that was asked for is not ready yet. */
  get isStarting(): boolean {
    return this.#spawning !== undefined;
  }

  maySpawn(now: number): boolean {
    return this.#spawning === undefined && now >= this.#maySpawnAt;
  }

  /** Connects to the processes that run and are not connected yet, and judges the one that was asked for. */
  async look(): Promise<void> {
    const sockets = await findMeshSockets(this.#options.config.socket);
    await Promise.all(sockets.map(({ pid, path }) => this.#connect(pid, path)));
    this.#judgeSpawning();
  }

  /** Ends those of another node, or with addresses that are no longer wanted. `startedWith`: the config file before this daemon's. */
  async endStrangers(startedWith: string | undefined): Promise<void> {
    const { config, logger } = this.#options;
    const before = parseConfig(startedWith);
    await this.#endForerunner();
    const strangers = this.members().filter(({ connection: { nodeId, pid, version } }) => {
      const adoption = decideAdoption(nodeId, before, config);
      logger.info({ pid, version, reason: adoption.reason }, adoption.kind);
      return adoption.kind === 'replace';
    });
    await Promise.all(strangers.map(({ connection }) => this.#askToQuit(connection)));
  }

  /** Starts the first process. Throws BALE_MESH_START_FAILED when it ends before it answers. */
  async start(signal: AbortSignal): Promise<void> {
    const { command, configFile, config, logger } = this.#options;
    const child = await spawnMesh(command, configFile, logFileOf(config.socket));
    logger.info({ pid: child.pid }, 'mesh process started');
    const path = controlPath(config.socket, child.pid);
    const giveUp = new AbortController();
    const waiting = AbortSignal.any([signal, giveUp.signal, AbortSignal.timeout(START_TIMEOUT)]);
    const connected = async (): Promise<void> => {
      while (!this.#members.has(child.pid)) {
        await this.#connect(child.pid, path);
        await pause(POLL, waiting);
      }
    };
    try {
      await Promise.race([connected(), child.ended]);
    } finally {
      giveUp.abort();
    }
  }

  /** Asks `pid` to start a process that shares its sockets. */
  spawn(pid: number): void {
    const { command, configFile, config, clock } = this.#options;
    const by = this.#members.get(pid);
    if (by === undefined) return;
    this.#spawning = { by: pid, deadline: clock.now() + START_TIMEOUT, pid: undefined };
    by.send({ kind: 'spawn', command, configFile, logFile: logFileOf(config.socket) });
  }

  lead(pid: number): void {
    const member = this.#members.get(pid);
    if (member === undefined) return;
    member.role = 'lead';
    member.send({ kind: 'lead' });
  }

  retire(pid: number): void {
    const member = this.#members.get(pid);
    if (member === undefined) return;
    member.role = 'retired';
    member.send({ kind: 'retire' });
  }

  /** Kills those that hang, so that others take their place. */
  checkAlive(now: number): void {
    if (now - this.#pingedAt < PING_PERIOD) return;
    this.#pingedAt = now;
    for (const member of this.members()) {
      if (member.checkAlive()) continue;
      this.#options.logger.error({ pid: member.pid }, 'a mesh process hangs and is killed');
      killProcess(member.pid);
      member.connection.socket.destroy();
    }
  }

  /** Ends all processes, also those that are there but just not connected. */
  async quit(): Promise<void> {
    await this.look().catch(() => undefined);
    await Promise.all(this.members().map(({ connection }) => this.#askToQuit(connection)));
    this.letGo();
  }

  letGo(): void {
    this.#isLetGo = true;
    for (const { connection } of this.members()) connection.socket.destroy();
  }

  async #connect(pid: number, path: string): Promise<void> {
    if (this.#members.has(pid)) return;
    const member = await MeshMember.connect(path, {
      onReport: this.#events.onChange,
      onSpawn: this.#onSpawn,
    }).catch((error: unknown) => this.#onSilent(pid, error));
    if (member === undefined) return;
    const { socket, version, closed } = member.connection;
    if (this.#isLetGo || this.#members.has(pid)) {
      socket.destroy();
      return;
    }
    this.#silent.delete(pid);
    member.outdated = version !== (this.#options.config.version ?? '');
    this.#members.set(pid, member);
    this.#events.onJoined(member);
    void closed.then(() => {
      this.#onGone(member);
    });
    this.#events.onChange();
  }

  /** A mesh of a version that knew of no others listens on `mesh.sock` itself, and can hand over nothing. */
  async #endForerunner(): Promise<void> {
    const { socket } = this.#options.config;
    const status = await lstat(socket).catch(() => undefined);
    if (status?.isSocket() !== true) return;
    const connection = await connectMesh(socket, () => undefined).catch(() => undefined);
    if (connection !== undefined) await this.#askToQuit(connection);
  }

  /** It took the connection and said nothing. The look at the others goes on. */
  async #onSilent(pid: number, error: unknown): Promise<undefined> {
    const { logger, configFile } = this.#options;
    const silences = (this.#silent.get(pid) ?? 0) + 1;
    this.#silent.set(pid, silences);
    logger.warn({ pid, err: errorMessage(error) }, 'a mesh process does not answer');
    if (silences < MOST_SILENT_HELLOS || !(await isMeshOf(pid, configFile))) return;
    logger.error({ pid }, 'a mesh process hangs and is killed');
    killProcess(pid);
    this.#silent.delete(pid);
  }

  #onGone({ pid, role, connection }: MeshMember): void {
    if (this.#members.get(pid)?.connection !== connection) return;
    this.#members.delete(pid);
    if (this.#isLetGo) return;
    // It cannot start anything any more; what it has started already is found by its own socket.
    if (this.#spawning?.by === pid) this.#spawning = undefined;
    if (role === 'retired') this.#options.logger.info({ pid }, 'the retired mesh process ended');
    else this.#options.logger.warn({ pid }, 'the connection to the mesh process ended');
    // Not at once: it may be that another daemon took the connection over, and takes it again.
    this.#options.clock.schedule(AFTER_LOSS, this.#events.onChange);
  }

  readonly #onSpawn = (message: Extract<MeshToDaemon, { kind: 'spawned' | 'spawn-failed' }>): void => {
    const spawning = this.#spawning;
    if (spawning === undefined) return;
    if (message.kind === 'spawned') spawning.pid = message.pid;
    else if (message.pid === spawning.pid) this.#spawnFailed(message.error);
    this.#events.onChange();
  };

  #judgeSpawning(): void {
    const spawning = this.#spawning;
    if (spawning === undefined) return;
    const member = spawning.pid === undefined ? undefined : this.#members.get(spawning.pid);
    if (member !== undefined && member.report.tableNumber > 0) {
      this.#spawning = undefined;
      this.#spawnFailures = 0;
    } else if (this.#options.clock.now() > spawning.deadline) {
      if (spawning.pid !== undefined) killProcess(spawning.pid);
      this.#spawnFailed(`it was not ready within ${START_TIMEOUT} ms`);
    }
  }

  #spawnFailed(reason: string): void {
    const { logger, clock } = this.#options;
    const delay = backoffDelay(SPAWN_RETRY, this.#spawnFailures);
    this.#spawning = undefined;
    this.#spawnFailures += 1;
    this.#maySpawnAt = clock.now() + delay;
    logger.error({ reason, retryAfter: delay }, 'another mesh process cannot be had; those that run go on');
  }

  /** Resolves when the mesh gave its socket and ports free, or does not answer. */
  async #askToQuit({ socket, closed, pid }: MeshConnection): Promise<void> {
    const quit: DaemonToMesh = { kind: 'quit' };
    writeJsonLine(socket, quit);
    let cancel: () => void = () => undefined;
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#options.clock.schedule(QUIT_TIMEOUT, resolve);
    });
    await Promise.race([closed, timeout]);
    cancel();
    socket.destroy();
    this.#members.delete(pid);
  }
}

/** The config of an earlier start; a file that cannot be read as one says nothing about the mesh that runs. */
function parseConfig(text: string | undefined): Partial<MeshConfig> | undefined {
  if (text === undefined) return undefined;
  try {
    const config: unknown = JSON.parse(text);
    return typeof config === 'object' && config !== null ? config : undefined;
  } catch {
    return undefined;
  }
}

const logFileOf = (socket: string): string => `${socket.replace(/\.sock$/, '')}.log`;
