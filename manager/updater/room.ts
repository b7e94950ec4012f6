import { refusalOf } from '../scheduler/filters.js';
import { Ledger } from '../scheduler/ledger.js';
import { requirementOf } from '../scheduler/requirement.js';
import type { NodeObject, TaskObject } from '../store/objects.js';

/** Whether a task would find room on the node of another one, if that were gone. */
export function fitsInPlaceOf(
  newcomer: TaskObject,
  incumbent: TaskObject,
  node: NodeObject | undefined,
  onNode: readonly TaskObject[],
): boolean {
  if (node === undefined) return false;
  const ledger = new Ledger();
  for (const task of onNode) if (task.id !== incumbent.id) ledger.set(task.id, task);
  const account = ledger.account(node.id);
  const state = { node, account, serviceTasks: account.tasksOf(newcomer.serviceId), suspect: false };
  return refusalOf(requirementOf(newcomer), state) === undefined;
}
