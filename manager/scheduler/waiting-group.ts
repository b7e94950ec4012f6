import type { TaskObject } from '../store/objects.js';
import { localVolumes } from './local-volumes.js';
import { type Requirement, requirementOf } from './requirement.js';

/**
 * Tasks of one version of one service are alike: they have the same spec. One that is for one node only stands alone,
 * also beside that of another run of its job: runs may overlap.
 */
export type GroupKey = string;

export const groupKey = ({
  serviceId,
  serviceVersion,
  pinnedTo,
  jobIteration = 0,
}: Pick<TaskObject, 'serviceId' | 'serviceVersion' | 'pinnedTo' | 'jobIteration'>): GroupKey =>
  pinnedTo === undefined
    ? `${serviceId}@${serviceVersion}`
    : `${serviceId}@${serviceVersion}/${pinnedTo}/${jobIteration}`;

/** A task in its group, while it waits there. */
export interface Waiter {
  readonly id: string;
  /** The lowest comes first. */
  readonly turn: number;
  /** What the task says of why it waits; undefined when nothing was said yet. */
  reason: string | undefined;
  /** Turns false once: it was given a node, or is wanted no more. */
  waits: boolean;
}

/** Dead entries that may stay before a list is made anew, beyond the number of those that wait. */
const SLACK = 32;

/**
 * The alike tasks that wait for a node, in the order in which they shall get one: those that shall
 * run now before those that wait out a delay, then by slot.
 *
 * Invariant: `#ordered` from `#head` on and `#added` hold each waiter that waits once. Waiters that
 * left stay in them until they are met, so taking tasks from the front costs what is taken.
 */
export class WaitingGroup {
  readonly key: GroupKey;
  readonly serviceId: string;
  readonly serviceVersion: number;
  readonly requirement: Requirement;
  /** One of them, as it came: what the spec says is the same for all. */
  readonly sample: TaskObject;
  /** They may have data on some node. */
  readonly hasVolumes: boolean;
  /** The one node that they are for. */
  readonly pinnedTo: string | undefined;
  /** When the oldest task was made that came since the group was last empty. */
  since = Infinity;
  /** Tasks that wait. */
  size = 0;
  #ordered: Waiter[] = [];
  #head = 0;
  /** Came since the others were put in order. */
  #added: Waiter[] = [];

  constructor(key: GroupKey, sample: TaskObject) {
    this.key = key;
    this.serviceId = sample.serviceId;
    this.serviceVersion = sample.serviceVersion;
    this.requirement = requirementOf(sample);
    this.sample = sample;
    this.hasVolumes = sample.pinnedTo === undefined && localVolumes(sample.spec).length > 0;
    this.pinnedTo = sample.pinnedTo;
  }

  add(task: TaskObject): Waiter {
    const waiter = { id: task.id, turn: turnOf(task), reason: reasonOf(task), waits: true };
    if (this.#added.length === 0) this.#added = [waiter];
    else this.#added.push(waiter);
    this.size += 1;
    this.since = Math.min(this.since, task.createdAt);
    return waiter;
  }

  /** A waiter of this group that waits no more. */
  remove(waiter: Waiter): void {
    waiter.waits = false;
    this.size -= 1;
  }

  /** The ids of the first `most` tasks. */
  first(most: number): readonly string[] {
    return this.#take(most, () => true);
  }

  /** The ids of the first `most` tasks that do not give this reason for their waiting. */
  unexplained(reason: string, most: number): readonly string[] {
    return this.#take(most, (waiter) => waiter.reason !== reason);
  }

  #take(most: number, wanted: (waiter: Waiter) => boolean): readonly string[] {
    this.#arrange();
    const ids: string[] = [];
    for (let index = this.#head; index < this.#ordered.length && ids.length < most; index += 1) {
      const waiter = this.#ordered[index];
      if (waiter?.waits === true && wanted(waiter)) ids.push(waiter.id);
    }
    return ids;
  }

  #arrange(): void {
    if (this.#added.length > 0) this.#mergeAdded();
    while (this.#ordered[this.#head]?.waits === false) this.#head += 1;
    if (this.#ordered.length <= 2 * this.size + SLACK) return;
    this.#ordered = this.#alive();
    this.#head = 0;
  }

  #mergeAdded(): void {
    const added = this.#added.sort(compareWaiters);
    this.#added = [];
    const [first] = added;
    const last = this.#ordered.at(-1);
    if (first === undefined || last === undefined) {
      this.#ordered = added;
      this.#head = 0;
    } else if (compareWaiters(last, first) < 0) for (const waiter of added) this.#ordered.push(waiter);
    else {
      // Two runs that are in order each: sorting them takes one step for each task.
      this.#ordered = this.#alive().concat(added).sort(compareWaiters);
      this.#head = 0;
    }
  }

  #alive(): Waiter[] {
    return this.#ordered.slice(this.#head).filter(({ waits }) => waits);
  }
}

/** Slots are far below 2^32. */
export const turnOf = ({ desiredState, slot }: Pick<TaskObject, 'desiredState' | 'slot'>): number =>
  (desiredState === 'ready' ? 2 ** 32 : 0) + slot;

export const reasonOf = ({ status }: Pick<TaskObject, 'status'>): string | undefined =>
  status.State === 'pending' ? status.Err : undefined;

const compareWaiters = (a: Waiter, b: Waiter): number => a.turn - b.turn || (a.id < b.id ? -1 : 1);
