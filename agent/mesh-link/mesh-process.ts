import { pause } from '../../core/abort.js';
import { readTextIfPresent, writeFileAtomic } from '../../core/atomic-file.js';
import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';
import type { MeshLink } from '../agent-types.js';
import { writeJsonLine } from '../mesh/json-lines.js';
import type { DaemonToMesh, LocalEndpoint, MeshConfig, MeshToDaemon } from '../mesh/messages.js';
import { decideAdoption } from './adoption.js';
import { awaitMesh, connectMesh, type MeshConnection } from './mesh-connection.js';
import { spawnMesh } from './mesh-spawn.js';

const RETRY: BackoffPolicy = { initial: 100, max: 5_000 };
/** A mesh that cannot be started so many times in a row makes the start of the link fail. */
const ATTEMPTS_AT_START = 3;
const START_TIMEOUT = 10_000;
const QUIT_TIMEOUT = 5_000;

export interface MeshLinkOptions {
  readonly config: MeshConfig;
  /** Where `config` is written for the mesh process. */
  readonly configFile: string;
  /** The command that runs a mesh, without its `--config FILE`: `node …/bale.js mesh`. */
  readonly command: readonly string[];
  readonly logger: Logger;
  readonly clock: Clock;
}

export type MeshProcessLink = MeshLink & {
  /** The identity file was renewed: new connections of the mesh use it. */
  identityRenewed(): void;
  /** Ends the mesh process; resolves when its ports are free. What is under way in it has half a minute more. */
  quit(): Promise<void>;
  /** Lets go of the mesh process, which routes on. */
  close(): Promise<void>;
};

/**
 * Holds on to this node's mesh process: adopts the one that runs, else starts one, and starts
 * another when it dies. Resolves when the mesh answered; throws BALE_MESH_START_FAILED or
 * BALE_MESH_SOCKET, saying why, when it cannot be had.
 */
export async function startMeshLink(options: MeshLinkOptions): Promise<MeshProcessLink> {
  const link = new Link(options);
  await link.start();
  return link;
}

class Link implements MeshProcessLink {
  readonly #options: MeshLinkOptions;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<(report: MeshReport) => void>();
  #startedWith: Partial<MeshConfig> | undefined;
  #connection: MeshConnection | undefined;
  #running: Promise<void> = Promise.resolve();
  #table: EndpointTable | undefined;
  #locals: readonly LocalEndpoint[] | undefined;
  #lastReport: MeshReport | undefined;

  constructor(options: MeshLinkOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { config, configFile } = this.#options;
    this.#startedWith = parseConfig(await readTextIfPresent(configFile));
    await writeFileAtomic(configFile, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
    await new Promise<void>((resolve, reject) => {
      this.#running = this.#run(resolve, (error) => {
        this.#abort.abort();
        reject(error);
      });
    });
  }

  setTable(table: EndpointTable): void {
    this.#table = table;
    this.#send({ kind: 'table', table });
  }

  setLocals(locals: readonly LocalEndpoint[]): void {
    this.#locals = locals;
    this.#send({ kind: 'locals', locals });
  }

  /** A new listener also gets the last report, since the mesh sends changes alone. */
  onReport(listener: (report: MeshReport) => void): () => void {
    this.#listeners.add(listener);
    queueMicrotask(() => {
      if (this.#lastReport !== undefined && this.#listeners.has(listener)) listener(this.#lastReport);
    });
    return () => {
      this.#listeners.delete(listener);
    };
  }

  identityRenewed(): void {
    this.#send({ kind: 'identity' });
  }

  async quit(): Promise<void> {
    this.#abort.abort();
    // Also one that is there but just not connected.
    const connection =
      this.#connection ?? (await connectMesh(this.#options.config.socket, () => undefined).catch(() => undefined));
    if (connection !== undefined) await askToQuit(connection, this.#options.clock);
    await this.close();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#connection?.socket.destroy();
    await this.#running;
  }

  /** Until closed: get a mesh, hold on to it until the connection ends. `onReady` and `onFailed` tell of the first one. */
  async #run(onReady: () => void, onFailed: (error: Error) => void): Promise<void> {
    const { signal } = this.#abort;
    const { logger } = this.#options;
    for (let failures = 0, isFirst = true; !signal.aborted;) {
      try {
        const connection = await this.#acquire();
        if (connection !== undefined) {
          failures = 0;
          isFirst = false;
          this.#connection = connection;
          this.#resend();
          onReady();
          await connection.closed;
          this.#connection = undefined;
          if (!this.#isClosed()) logger.warn('the connection to the mesh process ended');
        }
      } catch (error) {
        if (this.#isClosed()) break;
        failures += 1;
        logger.error({ err: errorMessage(error), failures }, 'the mesh process cannot be had');
        this.#reportFailure(errorMessage(error));
        if (isFirst && failures >= ATTEMPTS_AT_START)
          onFailed(error instanceof Error ? error : new Error(String(error)));
      }
      await pause(backoffDelay(RETRY, Math.max(0, failures - 1)), signal).catch(() => undefined);
    }
    if (this.#connection !== undefined) this.#connection.socket.destroy();
  }

  /** A connection to a mesh of this node; undefined when one had to be ended first. */
  async #acquire(): Promise<MeshConnection | undefined> {
    const { config, configFile, command, logger, clock } = this.#options;
    const onMessage = (message: MeshToDaemon): void => {
      if (message.kind === 'report') this.#publish(message.report);
    };
    const running = await connectMesh(config.socket, onMessage);
    if (running !== undefined) {
      const adoption = decideAdoption(running.nodeId, this.#startedWith, config);
      logger.info({ pid: running.pid, version: running.version, reason: adoption.reason }, adoption.kind);
      if (adoption.kind === 'adopt') return running;
      await askToQuit(running, clock);
      this.#startedWith = undefined;
      return undefined;
    }
    const child = await spawnMesh(command, configFile, logFileOf(config.socket));
    this.#startedWith = undefined;
    logger.info({ pid: child.pid }, 'mesh process started');
    return raceToEnd(child.ended, this.#abort.signal, (signal) => awaitMesh(config.socket, onMessage, signal));
  }

  #send(message: DaemonToMesh): void {
    if (this.#connection !== undefined) writeJsonLine(this.#connection.socket, message);
  }

  #resend(): void {
    // Locals first: a table routes to them.
    if (this.#locals !== undefined) this.#send({ kind: 'locals', locals: this.#locals });
    if (this.#table !== undefined) this.#send({ kind: 'table', table: this.#table });
  }

  #publish(report: MeshReport): void {
    this.#lastReport = report;
    for (const listener of [...this.#listeners]) listener(report);
  }

  /** Without a mesh process nothing is published on this node: each port says why. */
  #reportFailure(reason: string): void {
    const bindErrors = (this.#table?.ports ?? []).map(({ publishedPort, protocol }) => ({
      publishedPort,
      protocol,
      error: reason,
    }));
    this.#publish({ tableNumber: 0, bindErrors, inFlight: {} });
  }

  #isClosed(): boolean {
    return this.#abort.signal.aborted;
  }
}

/** `connect`, unless the process it waits for ends first, or says nothing in time. */
async function raceToEnd(
  ended: Promise<never>,
  outer: AbortSignal,
  connect: (signal: AbortSignal) => Promise<MeshConnection>,
): Promise<MeshConnection> {
  const inner = new AbortController();
  const connecting = connect(AbortSignal.any([outer, inner.signal, AbortSignal.timeout(START_TIMEOUT)]));
  let isLost = false;
  connecting.then(
    ({ socket }) => {
      if (isLost) socket.destroy();
    },
    () => undefined,
  );
  try {
    return await Promise.race([connecting, ended]);
  } catch (error) {
    isLost = true;
    inner.abort();
    throw error;
  }
}

/** Resolves when the mesh gave its socket and ports free, or does not answer. */
async function askToQuit({ socket, closed }: MeshConnection, clock: Clock): Promise<void> {
  const quit: DaemonToMesh = { kind: 'quit' };
  writeJsonLine(socket, quit);
  let cancel: () => void = () => undefined;
  const timeout = new Promise<void>((resolve) => {
    cancel = clock.schedule(QUIT_TIMEOUT, resolve);
  });
  await Promise.race([closed, timeout]);
  cancel();
  socket.destroy();
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
