import type { Vouch } from '../../proto/vouch.js';
import type { LocalEndpoint } from './messages.js';
import { processStart } from './process-start.js';

interface Local extends LocalEndpoint {
  /** Undefined when the process was dead already when the daemon told of it. */
  readonly started: string | undefined;
}

/** The running containers of this node, as the last daemon told. */
export class Locals {
  #locals: ReadonlyMap<string, Local> = new Map();

  replace(locals: readonly LocalEndpoint[]): void {
    this.#locals = new Map(locals.map((local) => [local.taskId, this.#withStart(local)]));
  }

  get(taskId: string): LocalEndpoint | undefined {
    return this.#locals.get(taskId);
  }

  /** Whether the very process of the container lives: its pid may have gone to another since. */
  isAlive(taskId: string): boolean {
    const local = this.#locals.get(taskId);
    return local?.started !== undefined && processStart(local.pid) === local.started;
  }

  vouch(): Pick<Vouch, 'alive' | 'dead'> {
    const taskIds = [...this.#locals.keys()];
    return {
      alive: taskIds.filter((taskId) => this.isAlive(taskId)),
      dead: taskIds.filter((taskId) => !this.isAlive(taskId)),
    };
  }

  #withStart(local: LocalEndpoint): Local {
    const known = this.#locals.get(local.taskId);
    const started = known?.pid === local.pid ? known.started : processStart(local.pid);
    return { ...local, started };
  }
}
