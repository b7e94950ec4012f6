import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import { errorMessage, isBaleError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Assignment } from '../../proto/assignment.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { ContainerState, EngineState, Executor } from '../executor/executor.js';
import type { LocalEndpoint } from '../mesh/messages.js';
import { localEndpoints, sameLocals } from './local-endpoints.js';
import type { PayloadLookup } from './payload-shelf.js';
import type { StatusOutbox } from './status-outbox.js';
import { TaskRunner } from './task-runner.js';

export interface WorkerOptions {
  readonly executor: Executor;
  /** The secrets and configs that the manager sent. */
  readonly payloads: PayloadLookup;
  readonly outbox: StatusOutbox;
  /** Gets the running containers, complete, whenever they change; not before the first `apply`. */
  readonly onLocals: (locals: readonly LocalEndpoint[]) => void;
  readonly onEngine: (state: EngineState) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** ns; for containers whose task is not known. */
const ORPHAN_GRACE = 10_000_000_000;

/**
 * The tasks of this node: one runner each.
 *
 * Invariant: before the first complete set of a manager is known no container is touched, however
 * long the manager is away. After it a container without a task is stopped and removed.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #runners = new Map<string, TaskRunner>();
  readonly #sweeps: ControlLoop<'orphans'>;
  readonly #unwatch: () => void;
  /** Tasks that had a container when this worker began; `undefined` until the Engine has told. */
  #found: ReadonlySet<string> | undefined;
  #assigned = false;
  #locals: readonly LocalEndpoint[] | undefined;
  #closed = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#sweeps = new ControlLoop({
      name: 'orphaned containers',
      clock: options.clock,
      logger: options.logger,
      run: (_, signal) => this.#sweep(signal),
    });
    this.#unwatch = options.executor.watch(
      (taskId) => this.#runners.get(taskId)?.refresh(),
      (state) => {
        this.#onEngine(state);
      },
    );
  }

  /** Makes `tasks` the whole set of this node. `complete` = the manager sent all of it just now. */
  apply(tasks: ReadonlyMap<string, Assignment>, complete: boolean): void {
    if (this.#closed) return;
    this.#assigned = true;
    for (const assignment of tasks.values()) this.#assign(assignment);
    for (const [taskId, runner] of this.#runners) if (!tasks.has(taskId) && !runner.removed) runner.remove();
    if (complete) this.#sweeps.mark('orphans');
    this.#tellLocals();
  }

  /** Ends. Containers stay as they are. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    await this.#sweeps.close();
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()));
  }

  /** After `close`: stops and removes every container of this node, for a node that leaves. */
  async removeAll(signal: AbortSignal): Promise<void> {
    this.#options.onLocals([]);
    const containers = await this.#options.executor.list(signal);
    await Promise.all(containers.map((container) => this.#discard(container, signal)));
  }

  #assign(assignment: Assignment): void {
    const { taskId } = assignment;
    const known = this.#runners.get(taskId);
    if (known !== undefined) {
      known.assign(assignment);
      return;
    }
    const { executor, payloads, clock, logger, outbox } = this.#options;
    let told: TaskStatus | undefined;
    const runner = new TaskRunner({
      assignment,
      mayExist: this.#found?.has(taskId) ?? true,
      executor,
      payloads,
      clock,
      logger,
      onChange: (changed) => {
        // What a runner begins with is what the manager knows already.
        told ??= begun;
        if (changed.status !== told && !changed.removed) outbox.put(taskId, changed.status);
        told = changed.status;
        this.#tellLocals();
      },
    });
    const begun = runner.status;
    this.#runners.set(taskId, runner);
    runner.done.then(
      () => {
        if (this.#closed) return;
        this.#runners.delete(taskId);
        outbox.drop(taskId);
      },
      (error: unknown) => {
        logger.error({ task: taskId, err: errorMessage(error) }, 'task runner failed');
      },
    );
  }

  #onEngine(state: EngineState): void {
    this.#options.onEngine(state);
    if (!state.reachable) return;
    for (const runner of this.#runners.values()) runner.refresh();
    this.#sweeps.mark('orphans');
  }

  /** Looks at all containers of this node; those that nobody assigned go, once it is known what is assigned. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const containers = await this.#list(signal);
    if (containers === undefined) return;
    this.#found ??= new Set(containers.map((container) => container.taskId));
    if (!this.#assigned) return;
    const orphans = containers.filter((container) => !this.#runners.has(container.taskId));
    await Promise.all(orphans.map((orphan) => this.#discard(orphan, signal)));
  }

  /** Undefined when the Engine does not answer: its return asks again. */
  async #list(signal: AbortSignal): Promise<readonly ContainerState[] | undefined> {
    try {
      return await this.#options.executor.list(signal);
    } catch (error) {
      if (isBaleError(error, 'BALE_ENGINE_UNAVAILABLE')) return undefined;
      throw error;
    }
  }

  async #discard({ taskId, containerId }: ContainerState, signal: AbortSignal): Promise<void> {
    const { executor, logger } = this.#options;
    logger.info({ task: taskId, container: containerId }, 'removing a container that no task of this node has');
    await executor.stop(taskId, ORPHAN_GRACE, signal);
    await executor.remove(taskId, signal);
  }

  /**
   * The mesh keeps what an earlier agent told it until this one has looked at all the containers it
   * takes over: a list that is not whole would cut their traffic.
   */
  #tellLocals(): void {
    if (!this.#assigned || this.#closed) return;
    const runners = [...this.#runners.values()];
    if (this.#locals === undefined && runners.some((runner) => !runner.settled)) return;
    const locals = localEndpoints(runners);
    if (this.#locals !== undefined && sameLocals(locals, this.#locals)) return;
    this.#locals = locals;
    this.#options.onLocals(locals);
  }
}
