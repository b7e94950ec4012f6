import { readTextIfPresent, writeFileAtomic } from '../../core/atomic-file.js';
import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';
import type { MeshLink } from '../agent-types.js';
import type { DaemonToMesh, LocalEndpoint, MeshConfig } from '../mesh/messages.js';
import { combineReports, sumInFlight } from './combined-report.js';
import { Fleet } from './fleet-processes.js';
import { planFleet, type FleetAction } from './fleet.js';
import { Wake } from './link-wake.js';

const RETRY: BackoffPolicy = { initial: 100, max: 5_000 };
/** A mesh that cannot be started so many times in a row makes the start of the link fail. */
const ATTEMPTS_AT_START = 3;
/** ms between two looks at the processes when nothing happens. */
const LOOK_PERIOD = 2_000;
/** The same while one that was asked for is on its way. */
const LOOK_PERIOD_STARTING = 30;

export interface MeshLinkOptions {
  readonly config: MeshConfig;
  /** Where `config` is written for the mesh process. */
  readonly configFile: string;
  /** The command that runs a mesh, without its `--config FILE`: `node …/bale.js mesh`. */
  readonly command: readonly string[];
  /** How many processes serve side by side; 1 unless given. */
  readonly processes?: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

export type MeshProcessLink = MeshLink & {
  /** The identity file was renewed: new connections of the mesh use it. */
  identityRenewed(): void;
  /** Starts fresh processes in the place of those that run; no connection is cut. */
  replace(): void;
  /** Ends the mesh processes; resolves when their ports are free. What is under way in them has half a minute more. */
  quit(): Promise<void>;
  /** Lets go of the mesh processes, which route on. */
  close(): Promise<void>;
};

/**
 * Holds on to this node's mesh processes: adopts those that run, else starts one, replaces one that
 * dies or is of another version. Resolves when one answered; throws BALE_MESH_START_FAILED or
 * BALE_MESH_SOCKET, saying why, when none can be had.
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
  readonly #wake: Wake;
  readonly #fleet: Fleet;
  #running: Promise<void> = Promise.resolve();
  #table: EndpointTable | undefined;
  #locals: readonly LocalEndpoint[] | undefined;
  #lastReport: MeshReport | undefined;
  /** Until all processes that run were asked once, a report would not count what is under way in the others. */
  #isComplete = false;

  constructor(options: MeshLinkOptions) {
    this.#options = options;
    this.#wake = new Wake(options.clock);
    this.#fleet = new Fleet(options, {
      onJoined: (member) => {
        member.brief(this.#locals, this.#table);
      },
      onChange: () => {
        this.#publishCombined();
        this.#wake.now();
      },
    });
    this.#abort.signal.addEventListener('abort', this.#wake.now);
  }

  async start(): Promise<void> {
    const { config, configFile } = this.#options;
    const startedWith = await readTextIfPresent(configFile);
    await writeFileAtomic(configFile, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
    await new Promise<void>((resolve, reject) => {
      this.#running = this.#run(startedWith, resolve, (error) => {
        this.#abort.abort();
        reject(error);
      });
    });
  }

  setTable(table: EndpointTable): void {
    const isFirst = this.#table === undefined;
    this.#table = table;
    this.#send({ kind: 'table', table });
    // Only now can another process be prepared to take over.
    if (isFirst) this.#wake.now();
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

  replace(): void {
    this.#options.logger.info({}, 'the mesh processes are to be replaced');
    for (const member of this.#fleet.members()) member.outdated = true;
    this.#wake.now();
  }

  async quit(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.#fleet.quit();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#fleet.letGo();
  }

  /** Until closed: look what is there, do what is missing. `onReady` and `onFailed` tell of the first process. */
  async #run(startedWith: string | undefined, onReady: () => void, onFailed: (error: Error) => void): Promise<void> {
    const { signal } = this.#abort;
    const { logger, clock } = this.#options;
    for (let failures = 0, isFirst = true; !signal.aborted;) {
      let wait = this.#fleet.isStarting ? LOOK_PERIOD_STARTING : LOOK_PERIOD;
      try {
        await this.#fleet.look();
        if (!this.#isComplete) await this.#fleet.endStrangers(startedWith);
        this.#isComplete = true;
        this.#publishCombined();
        await this.#act();
        if (this.#fleet.isServing) {
          failures = 0;
          isFirst = false;
          onReady();
        }
        if (this.#fleet.isStarting) wait = LOOK_PERIOD_STARTING;
      } catch (error) {
        if (this.#isClosed()) break;
        failures += 1;
        logger.error({ err: errorMessage(error), failures }, 'the mesh process cannot be had');
        this.#reportFailure(errorMessage(error));
        if (isFirst && failures >= ATTEMPTS_AT_START)
          onFailed(error instanceof Error ? error : new Error(String(error)));
        wait = backoffDelay(RETRY, failures - 1);
      }
      if (!this.#isClosed()) await this.#wake.sleep(wait);
      this.#fleet.checkAlive(clock.now());
    }
  }

  async #act(): Promise<void> {
    const { processes = 1, clock } = this.#options;
    const wish = {
      count: processes,
      hasTable: this.#table !== undefined,
      maySpawn: this.#fleet.maySpawn(clock.now()),
    };
    for (const action of planFleet(this.#fleet.asPlanned(), wish)) {
      if (this.#isClosed()) return;
      await this.#perform(action);
    }
  }

  async #perform(action: FleetAction): Promise<void> {
    this.#options.logger.info(action, 'mesh process');
    switch (action.kind) {
      case 'start':
        await this.#fleet.start(this.#abort.signal);
        return;
      case 'spawn':
        this.#fleet.spawn(action.pid);
        return;
      case 'lead':
        this.#fleet.lead(action.pid);
        return;
      case 'retire':
        this.#fleet.retire(action.pid);
    }
  }

  #send(message: DaemonToMesh): void {
    for (const member of this.#fleet.members()) member.send(message);
  }

  #publishCombined(): void {
    if (!this.#isComplete) return;
    const report = combineReports(this.#fleet.members());
    if (report !== undefined && JSON.stringify(report) !== JSON.stringify(this.#lastReport)) this.#publish(report);
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
    if (!this.#fleet.isServing)
      this.#publish({ tableNumber: 0, bindErrors, inFlight: sumInFlight(this.#fleet.members()) });
  }

  #isClosed(): boolean {
    return this.#abort.signal.aborted;
  }
}
