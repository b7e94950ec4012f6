import type { TaskStatus } from '../../proto/engine/task-document.js';
import { isTerminal, stateOrder } from '../../proto/engine/task-state.js';
import type { TaskObject } from '../store/objects.js';

export type StatusVerdict =
  | { readonly kind: 'write'; readonly reason: string }
  /** Nothing new, or history of a task that is forgotten: ordinary after a reconnect. */
  | { readonly kind: 'skip'; readonly reason: string }
  /** Something is wrong with the sender. */
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Whether what an agent says of a task is written. The agent of its node alone owns the observed
 * state, which never goes back; an end is final, whoever wrote it: an agent that comes back from the
 * dead does not overwrite what the manager wrote for a lost task.
 */
export function judgeStatus(task: TaskObject | undefined, nodeId: string, status: TaskStatus): StatusVerdict {
  if (task === undefined) return { kind: 'skip', reason: 'the task is forgotten' };
  if (task.nodeId !== nodeId) {
    return { kind: 'refuse', reason: `the task is assigned to ${task.nodeId ?? 'no node'}` };
  }
  const known = task.status;
  if (isTerminal(known.State)) {
    return known.State === status.State
      ? { kind: 'skip', reason: 'its end is known' }
      : { kind: 'refuse', reason: `the task has ended as ${known.State}` };
  }
  if (stateOrder(status.State) < stateOrder(known.State)) {
    return { kind: 'refuse', reason: `the task is ${known.State} already` };
  }
  if (status.State === 'remove') return { kind: 'refuse', reason: '"remove" is only ever wished' };
  return isSameStatus(known, status)
    ? { kind: 'skip', reason: 'it is known' }
    : { kind: 'write', reason: `the agent reports ${status.State}` };
}

/** Of two reports of one agent about one task, the one that counts: the further, else the later. */
export const furtherStatus = (earlier: TaskStatus, later: TaskStatus): TaskStatus =>
  stateOrder(later.State) < stateOrder(earlier.State) ? earlier : later;

/** Statuses are small documents of one maker, so the order of their keys is the same. */
const isSameStatus = (a: TaskStatus, b: TaskStatus): boolean => JSON.stringify(a) === JSON.stringify(b);
