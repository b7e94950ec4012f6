import { timestamp } from '../../core/clock.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { TaskObject } from '../store/objects.js';
import type { Transaction } from '../store/store-types.js';
import type { Ledger } from './ledger.js';
import type { Placement } from './placement.js';

export const ASSIGNED_MESSAGE = 'scheduler assigned task to node';
export const PENDING_MESSAGE = 'pending task scheduling';

/** Gives tasks their nodes, in the rows of one pass and in the ledger. */
export class Assigner {
  readonly #tx: Pick<Transaction, 'put'>;
  readonly #ledger: Ledger;
  /** The tasks of a pass share it: thousands of them get the same one. */
  readonly #status: TaskStatus;

  constructor(tx: Pick<Transaction, 'now' | 'put'>, ledger: Ledger) {
    this.#tx = tx;
    this.#ledger = ledger;
    this.#status = { Timestamp: timestamp(tx.now), State: 'assigned', Message: ASSIGNED_MESSAGE };
  }

  /** `task` as it is now. */
  assign(task: TaskObject, placement: Placement): void {
    const assigned = this.#assigned(task, placement);
    this.#tx.put('task', assigned);
    this.#ledger.set(task.id, assigned);
  }

  #assigned(task: TaskObject, { nodeId, generics, volumesLeft }: Placement): TaskObject {
    const plain = { ...task, nodeId, status: this.#status };
    if (generics === undefined && volumesLeft === undefined) return plain;
    const given = generics === undefined ? plain : { ...plain, genericResources: generics };
    if (volumesLeft === undefined) return given;
    const Message = `${ASSIGNED_MESSAGE}; ${volumesLeft.warning}`;
    return { ...given, status: { ...this.#status, Message }, volumesLeft };
  }
}

/** Says why a task has no node. The time stays that at which it began to wait, when only the reason changes. */
export const pendingStatus = (task: TaskObject, reason: string, now: number): TaskStatus => ({
  Timestamp: task.status.State === 'pending' ? task.status.Timestamp : timestamp(now),
  State: 'pending',
  Message: PENDING_MESSAGE,
  Err: reason,
});

/** Whether a waiting task does not yet say so for this reason. */
export const lacksReason = ({ status }: TaskObject, reason: string): boolean =>
  status.State !== 'pending' || status.Err !== reason;
