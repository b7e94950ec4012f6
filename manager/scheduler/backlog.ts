import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import type { TaskObject } from '../store/objects.js';
import { type GroupKey, groupKey, reasonOf, turnOf, type Waiter, WaitingGroup } from './waiting-group.js';

/**
 * The tasks that wait for a node, by group, kept as tasks change: a pass over one task of a hundred
 * thousand looks at one.
 *
 * Invariant: a task that was last set waiting is in exactly one group, once; every other is in
 * none; no group is empty. Setting the same task twice is setting it once.
 */
export class Backlog {
  readonly #groups = new Map<GroupKey, WaitingGroup>();
  readonly #places = new Map<string, { readonly group: WaitingGroup; readonly waiter: Waiter }>();

  /** How many tasks wait. */
  get size(): number {
    return this.#places.size;
  }

  keys(): Iterable<GroupKey> {
    return this.#groups.keys();
  }

  /** Those of the named groups in which tasks wait; the one that has waited longest first. */
  groups(keys: Iterable<GroupKey>): readonly WaitingGroup[] {
    const found: WaitingGroup[] = [];
    for (const key of keys) {
      const group = this.#groups.get(key);
      if (group !== undefined) found.push(group);
    }
    return found.sort((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1));
  }

  /** Takes note of a task as it is now; undefined = deleted. Tells the group it began to wait in, if it did. */
  set(taskId: string, task: TaskObject | undefined): GroupKey | undefined {
    const place = this.#places.get(taskId);
    if (task === undefined || !waitsForNode(task)) {
      if (place !== undefined) this.#remove(taskId, place);
      return undefined;
    }
    if (place !== undefined) {
      if (place.waiter.turn === turnOf(task)) {
        place.waiter.reason = reasonOf(task);
        return undefined;
      }
      this.#remove(taskId, place);
    }
    const key = groupKey(task);
    const group = this.#groups.get(key) ?? new WaitingGroup(key, task);
    this.#groups.set(key, group);
    this.#places.set(taskId, { group, waiter: group.add(task) });
    return place === undefined ? key : undefined;
  }

  #remove(taskId: string, { group, waiter }: { readonly group: WaitingGroup; readonly waiter: Waiter }): void {
    group.remove(waiter);
    this.#places.delete(taskId);
    if (group.size === 0) this.#groups.delete(group.key);
  }
}

/** No node was chosen for it, it shall live, and it has not failed before it got one. */
export const waitsForNode = (task: TaskObject): boolean =>
  task.nodeId === undefined && isDesiredAlive(task.desiredState) && !isTerminal(task.status.State);
