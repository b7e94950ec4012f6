import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { errorMessage, isAbortError, isBaleError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Assignment } from '../../proto/assignment.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import { isDesiredAlive, isTerminal, stateOrder } from '../../proto/engine/task-state.js';
import type { ContainerState, Executor } from '../executor/executor.js';
import { NO_PROBES, probeBegun, probeEnded, probesFrom, type Probes } from './early-probes.js';
import type { PayloadLookup } from './payload-shelf.js';
import { taskStatus } from './task-status.js';
import { failureReport, nextStep, type TaskFacts, type TaskStep } from './task-step.js';
import { Throttle } from './throttle.js';

type EngineStep = Exclude<TaskStep, { readonly kind: 'report' | 'note' | 'wait' | 'end' }>;

const RETRY: BackoffPolicy = { initial: 100, max: 5_000 };
/** Progress of a pull is told no more often, ms. */
const PROGRESS_PERIOD = 1_000;

export interface TaskRunnerOptions {
  readonly assignment: Assignment;
  /** True when this node may already have a container of the task. */
  readonly mayExist: boolean;
  readonly executor: Executor;
  /** The secrets and configs that the manager sent. */
  readonly payloads: PayloadLookup;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when `status` or `container` changed. */
  readonly onChange: (runner: TaskRunner) => void;
}

/**
 * Brings one task to its desired state, one step at a time.
 *
 * Invariants: at most one Engine call of a task is under way; the observed state never goes down;
 * after a call that ended without a clear answer the container is looked at before anything else.
 */
export class TaskRunner {
  readonly #options: TaskRunnerOptions;
  readonly #closing = new AbortController();
  /** Resolves when the task was removed and its container is gone, or after `close`. */
  readonly done: Promise<void>;
  #assignment: Assignment;
  #status: TaskStatus;
  #container: ContainerState | undefined;
  #removed = false;
  #settled = false;
  #stale: boolean;
  #imageMissing = false;
  #pulled = false;
  #unhealthy = false;
  #probes: Probes = NO_PROBES;
  #retryAt = 0;
  #failures = 0;
  /** Ends the step under way when the task is no longer wanted. */
  #preparing: AbortController | undefined;
  /** Ends the wait for a probe as soon as there is any news: it may be of no interest any more. */
  #probing: AbortController | undefined;
  #wake: () => void = () => undefined;
  #awake = false;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    this.#assignment = options.assignment;
    this.#stale = options.mayExist;
    this.#status = options.assignment.status;
    this.done = this.#run();
  }

  get status(): TaskStatus {
    return this.#status;
  }

  get container(): ContainerState | undefined {
    return this.#container;
  }

  /** True once what the container is has been seen and told. */
  get settled(): boolean {
    return this.#settled;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** Takes a new wish of the manager; a spec never changes within a task. */
  assign(assignment: Assignment): void {
    this.#assignment = assignment;
    this.#reconsider();
  }

  /** The manager no longer assigns this task: its container is stopped and removed. */
  remove(): void {
    this.#removed = true;
    this.#reconsider();
  }

  /** There is news of the container, or the Engine is back. */
  refresh(): void {
    this.#stale = true;
    this.#retryAt = 0;
    this.#signal();
  }

  /** Ends the runner. The container stays as it is. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#preparing?.abort();
    this.#signal();
    await this.done;
  }

  #reconsider(): void {
    if (this.#removed || !isDesiredAlive(this.#assignment.desiredState)) this.#preparing?.abort();
    this.#signal();
  }

  #signal(): void {
    this.#awake = true;
    this.#probing?.abort();
    this.#wake();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // the constructor's caller gets the runner before the first change
    while (!this.#closing.signal.aborted) {
      this.#awake = false;
      const step = nextStep(this.#facts());
      this.#settle(step);
      switch (step.kind) {
        case 'end':
          return;
        case 'wait':
          await this.#news(step.until);
          break;
        case 'report':
          this.#options.logger.debug({ task: this.#assignment.taskId, state: step.state, reason: step.reason }, 'task');
          this.#report(step);
          break;
        case 'note':
          this.#note(step.message, step.err, step.health);
          break;
        case 'inspect':
        case 'pull':
        case 'create':
        case 'start':
        case 'probe':
        case 'stop':
        case 'remove':
          await this.#perform(step);
          break;
      }
    }
  }

  #settle(step: TaskStep): void {
    if (this.#settled || this.#stale || step.kind === 'report' || step.kind === 'note') return;
    this.#settled = true;
    this.#options.onChange(this);
  }

  #facts(): TaskFacts {
    return {
      assignment: this.#assignment,
      removed: this.#removed,
      status: this.#status,
      container: this.#container,
      stale: this.#stale,
      imageMissing: this.#imageMissing,
      pulled: this.#pulled,
      unhealthy: this.#unhealthy,
      probes: this.#probes,
      retryAt: this.#retryAt,
      now: this.#options.clock.now(),
    };
  }

  async #perform(step: EngineStep): Promise<void> {
    const abort = new AbortController();
    if (step.kind === 'pull' || step.kind === 'create' || step.kind === 'start') this.#preparing = abort;
    if (step.kind === 'probe') this.#probing = abort;
    const onClose = (): void => {
      abort.abort();
    };
    this.#closing.signal.addEventListener('abort', onClose);
    try {
      await this.#call(step, abort.signal);
      if (this.#failures > 0 && !isTerminal(this.#status.State)) this.#note(this.#status.Message);
      this.#failures = 0;
    } catch (error) {
      if (!abort.signal.aborted || !isAbortError(error)) this.#failed(step, error);
    } finally {
      this.#closing.signal.removeEventListener('abort', onClose);
      this.#preparing = undefined;
      this.#probing = undefined;
    }
  }

  /** Makes the call of a step and notes what it tells. */
  async #call(step: EngineStep, signal: AbortSignal): Promise<void> {
    const { executor } = this.#options;
    const { taskId } = this.#assignment;
    switch (step.kind) {
      case 'inspect':
        this.#stale = false; // news that comes during the call counts
        try {
          this.#observe(await executor.inspect(taskId, signal));
        } catch (error) {
          this.#stale = true;
          throw error;
        }
        break;
      case 'pull':
        await this.#pull(signal);
        break;
      case 'create':
        await executor.provide(this.#assignment, this.#options.payloads, signal);
        await executor.create(this.#assignment, signal);
        this.#observe({
          taskId,
          serviceId: this.#assignment.serviceId,
          containerId: '',
          phase: 'created',
          pid: 0,
          exitCode: 0,
          error: '',
          hostPorts: [],
        });
        break;
      case 'start':
        await executor.provide(this.#assignment, this.#options.payloads, signal);
        this.#observe(await executor.start(taskId, signal));
        break;
      case 'probe':
        this.#probes = probeBegun(this.#probes, this.#options.clock.now());
        this.#probes = probeEnded(
          this.#probes,
          await executor.probe(taskId, step.check, signal),
          this.#options.clock.now(),
        );
        break;
      case 'stop':
        await executor.stop(taskId, step.graceNs, signal);
        this.#stale = true;
        break;
      case 'remove':
        await executor.remove(taskId, signal);
        this.#observe(undefined);
        break;
    }
  }

  async #pull(signal: AbortSignal): Promise<void> {
    const image = this.#assignment.spec.ContainerSpec.Image;
    const message = `pulling image ${image}`;
    this.#note(message);
    const { clock, executor, payloads } = this.#options;
    const news = new Throttle<string>(clock, PROGRESS_PERIOD, (line) => {
      // In `Err` too: that is what `service ps` shows of a task that waits.
      this.#note(`${message}: ${line}`, `pulling: ${line}`);
    });
    try {
      await executor.pull(this.#assignment, payloads, news.put, signal);
    } finally {
      news.close();
    }
    this.#imageMissing = false;
    this.#pulled = true;
    this.#note('preparing');
  }

  #observe(container: ContainerState | undefined): void {
    this.#container = container;
    if (container?.phase === 'running') this.#unhealthy = container.health === 'unhealthy';
    if (container?.health === 'starting') this.#probes = probesFrom(this.#probes, this.#options.clock.now());
    this.#options.onChange(this);
  }

  /** A step failed: try again when the Engine may answer later, otherwise the task is over. */
  #failed(step: EngineStep, error: unknown): void {
    const { clock, logger } = this.#options;
    const text = errorMessage(error);
    const preparing = step.kind === 'pull' || step.kind === 'create' || step.kind === 'start';
    if (step.kind === 'create' && isBaleError(error, 'BALE_IMAGE_NOT_FOUND') && !this.#pulled) {
      this.#imageMissing = true;
    } else if (step.kind === 'probe' && !isBaleError(error, 'BALE_ENGINE_UNAVAILABLE')) {
      // The Engine does it itself, only later.
      logger.debug({ task: this.#assignment.taskId, err: text }, 'the health check cannot be run early');
      this.#probes = { ...this.#probes, refused: text };
      this.#stale = true;
    } else if (isBaleError(error, 'BALE_ENGINE_UNAVAILABLE') || !preparing) {
      this.#stale ||= step.kind !== 'pull';
      this.#retryAt = clock.now() + backoffDelay(RETRY, this.#failures);
      this.#failures += 1;
      logger.warn(
        { task: this.#assignment.taskId, step: step.kind, err: text },
        'task step failed; it will be tried again',
      );
      if (!isTerminal(this.#status.State)) this.#note(this.#status.Message, text);
    } else {
      const report = failureReport(this.#status.State, text);
      if (report.kind === 'report') this.#report(report);
      this.#stale = true;
    }
  }

  #report(step: Extract<TaskStep, { readonly kind: 'report' }>): void {
    if (stateOrder(step.state) <= stateOrder(this.#status.State)) return;
    this.#status = taskStatus(step, this.#container, this.#options.clock.now());
    this.#options.onChange(this);
    if (isTerminal(step.state)) this.#withdraw();
  }

  /** The container does not run and never will again: its secrets need not stay. Removal tries once more. */
  #withdraw(): void {
    const { executor, logger } = this.#options;
    executor.withdraw(this.#assignment.taskId).catch((error: unknown) => {
      logger.warn({ task: this.#assignment.taskId, err: errorMessage(error) }, 'files of a task were not removed');
    });
  }

  /** Says more about a state that stays. */
  #note(message: string, err?: string, health?: TaskStatus['health']): void {
    const report = {
      state: this.#status.State,
      message,
      ...(err === undefined ? {} : { err }),
      ...(health === undefined ? {} : { health }),
    };
    this.#status = taskStatus(report, this.#container, this.#options.clock.now());
    this.#options.onChange(this);
  }

  /** Resolves at the next signal, or at `until`. */
  #news(until: number | undefined): Promise<void> {
    if (this.#awake || this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel =
        until === undefined
          ? undefined
          : this.#options.clock.schedule(until - this.#options.clock.now(), () => {
              this.#wake();
            });
      this.#wake = () => {
        cancel?.();
        this.#wake = () => undefined;
        resolve();
      };
    });
  }
}
