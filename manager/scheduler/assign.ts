import { timestamp } from '../../core/clock.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { TaskObject } from '../store/objects.js';
import type { Transaction } from '../store/store-types.js';
import type { Ledger } from './ledger.js';
import type { Placement } from './place.js';

export const ASSIGNED_MESSAGE = 'scheduler assigned task to node';
export const PENDING_MESSAGE = 'pending task scheduling';

/** Gives a task its node, in the store and in the ledger. */
export function assign(
  tx: Pick<Transaction, 'now' | 'get' | 'put'>,
  { taskId, nodeId, generics, volumesLeft }: Placement,
  ledger: Ledger,
): void {
  const task = tx.get('task', taskId);
  if (task === undefined) return;
  const Message = volumesLeft === undefined ? ASSIGNED_MESSAGE : `${ASSIGNED_MESSAGE}; ${volumesLeft.warning}`;
  const status: TaskStatus = { Timestamp: timestamp(tx.now), State: 'assigned', Message };
  const assigned = {
    ...task,
    nodeId,
    status,
    ...(generics === undefined ? {} : { genericResources: generics }),
    ...(volumesLeft === undefined ? {} : { volumesLeft }),
  };
  tx.put('task', assigned);
  ledger.set(taskId, assigned);
}

/** Says why a task has no node. The time stays that at which it began to wait, when only the reason changes. */
export const pendingStatus = (task: TaskObject, reason: string, now: number): TaskStatus => ({
  Timestamp: task.status.State === 'pending' ? task.status.Timestamp : timestamp(now),
  State: 'pending',
  Message: PENDING_MESSAGE,
  Err: reason,
});

/** A task without a node that does not yet say so for this reason. */
export const lacksReason = ({ nodeId, status }: TaskObject, reason: string): boolean =>
  nodeId === undefined && (status.State !== 'pending' || status.Err !== reason);
