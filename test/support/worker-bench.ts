import { PayloadShelf } from '../../agent/worker/payload-shelf.js';
import { StatusOutbox } from '../../agent/worker/status-outbox.js';
import { Worker } from '../../agent/worker/worker.js';
import type { LocalEndpoint } from '../../agent/mesh/messages.js';
import { createLogger } from '../../core/logger.js';
import type { Assignment } from '../../proto/assignment.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import { FakeClock, settle } from './fake-clock.js';
import { SimulatedEngine, type SimulatedEngineOptions, type SimulatedNode } from './simulated-executor.js';

/** A worker on a simulated Engine, with everything it says kept. */
export class WorkerBench {
  readonly clock: FakeClock;
  readonly engine: SimulatedEngine;
  readonly node: SimulatedNode;
  readonly locals: (readonly LocalEndpoint[])[] = [];
  /** Every state each task was reported in, in order. */
  readonly history = new Map<string, string[]>();
  readonly latest = new Map<string, TaskStatus>();
  /** The secrets and configs that the manager sent. */
  readonly shelf = new PayloadShelf();
  readonly #outbox: StatusOutbox;
  worker: Worker;

  constructor(
    options: Partial<SimulatedEngineOptions> & { readonly engine?: SimulatedEngine; readonly clock?: FakeClock } = {},
  ) {
    this.clock = options.clock ?? new FakeClock();
    this.engine = options.engine ?? new SimulatedEngine({ clock: this.clock, ...options });
    this.node = this.engine.executor('n1');
    this.#outbox = new StatusOutbox(() => {
      for (const { taskId, status } of this.#outbox.takeUnsent()) {
        this.latest.set(taskId, status);
        const states = this.history.get(taskId) ?? [];
        if (states.at(-1) !== status.State) states.push(status.State);
        this.history.set(taskId, states);
      }
    });
    this.worker = this.#start();
  }

  /** The manager sends the whole set. */
  async complete(...tasks: readonly Assignment[]): Promise<void> {
    this.worker.apply(new Map(tasks.map((task) => [task.taskId, task])), true);
    await this.rest();
  }

  /** Lets everything that needs no time happen. */
  async rest(): Promise<void> {
    await this.clock.advance(0);
    for (let turn = 0; turn < 5; turn += 1) await settle();
    await this.clock.advance(0);
    await settle();
  }

  /** The agent is started again; what it knew is forgotten, the containers stay. */
  async restart(): Promise<void> {
    await this.worker.close();
    this.history.clear();
    this.latest.clear();
    this.locals.length = 0;
    this.worker = this.#start();
    await this.rest();
  }

  state(taskId: string): string | undefined {
    return this.latest.get(taskId)?.State;
  }

  #start(): Worker {
    return new Worker({
      executor: this.node,
      payloads: this.shelf.get,
      outbox: this.#outbox,
      clock: this.clock,
      logger: createLogger('silent'),
      onLocals: (locals) => this.locals.push(locals),
      onEngine: () => undefined,
    });
  }
}
