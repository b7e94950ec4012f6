import type { TaskSpec } from '../../proto/engine/task-spec.js';
import type { Change } from './journal.js';

/**
 * Makes the tasks that are read back share their specs, with each other and with their service, as they
 * did when they were written: in the journal each has a copy of its own. So ten thousand replicas cost
 * one spec, and what is remembered by spec is remembered once.
 */
export class SharedSpecs {
  /** By their JSON: it was written from one object, so it is the same text in every copy. */
  readonly #known = new Map<string, TaskSpec>();

  /** A service hands its spec on to tasks that are read after it, as they are in the order of a journal's keys. */
  share(change: Change): Change {
    if (change.table === 'service' && change.value !== undefined) this.#first(change.value.spec.TaskTemplate);
    if (change.table !== 'task' || change.value === undefined) return change;
    return { ...change, value: { ...change.value, spec: this.#first(change.value.spec) } };
  }

  #first(spec: TaskSpec): TaskSpec {
    const text = JSON.stringify(spec);
    const known = this.#known.get(text) ?? spec;
    this.#known.set(text, known);
    return known;
  }
}
