import { finalWish } from '../drain/task-wish.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';
import type { Slot } from './scale-down.js';
import { retire } from './stop-task.js';
import { decision, type Decision, type NodeLookup } from './task-action.js';

export interface ServiceView {
  /** Absent: the service was removed. */
  readonly service: ServiceObject | undefined;
  /** All its tasks, in any order. */
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
  /** How many tasks are on their way off a node, of whichever service. */
  readonly movingOff: (nodeId: string) => number;
  /** All nodes, in the order of their ids. */
  readonly nodes: readonly NodeObject[];
  readonly now: number;
  /** The most slots to fill or empty in one decision; the rest follows in the next. */
  readonly batch: number;
}

/** In order of slot, so that the same state gives the same decision. */
export function slotsOf(tasks: readonly TaskObject[]): readonly Slot[] {
  const bySlot = new Map<number, TaskObject[]>();
  for (const task of tasks) {
    const known = bySlot.get(task.slot);
    if (known === undefined) bySlot.set(task.slot, [task]);
    else known.push(task);
  }
  return [...bySlot].map(([slot, own]) => ({ slot, tasks: own })).sort((a, b) => a.slot - b.slot);
}

/** Sends these tasks away for good, their history too. */
export function removeTasks(
  tasks: readonly TaskObject[],
  reason: string,
  view: Pick<ServiceView, 'service' | 'nodeOf' | 'now' | 'batch'>,
): Decision {
  const staying = tasks.filter((task) => finalWish(task) !== 'remove');
  const actions = staying.slice(0, view.batch).map((task) => retire(task, 'remove', reason, view));
  return decision(actions, undefined, staying.length > view.batch);
}
