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

  #assigned(waiting: TaskObject, { nodeId, generics, volumesLeft }: Placement): TaskObject {
    const task = waiting.heldBack === undefined ? waiting : released(waiting);
    const plain = { ...task, nodeId, status: this.#status };
    if (generics === undefined && volumesLeft === undefined) return plain;
    const given = generics === undefined ? plain : { ...plain, genericResources: generics };
    if (volumesLeft === undefined) return given;
    const Message = `${ASSIGNED_MESSAGE}; ${volumesLeft.warning}`;
    return { ...given, status: { ...this.#status, Message }, volumesLeft };
  }
}

/** Why a task has no node. */
export interface Wait {
  readonly reason: string;
  /** Nodes may have room: it waits for something else. */
  readonly held: boolean;
}

/** The task as one that says why it waits. The time stays that at which it began to, when only the reason changes. */
export function waitingTask(task: TaskObject, { reason, held }: Wait, now: number): TaskObject {
  const status: TaskStatus = {
    Timestamp: task.status.State === 'pending' ? task.status.Timestamp : timestamp(now),
    State: 'pending',
    Message: PENDING_MESSAGE,
    Err: reason,
  };
  return { ...released(task), status, ...(held ? { heldBack: true } : {}) };
}

function released(task: TaskObject): TaskObject {
  const { heldBack, ...rest } = task;
  return heldBack === undefined ? task : rest;
}

/** Whether a waiting task does not yet say so for this reason. */
export const lacksReason = ({ status }: TaskObject, reason: string): boolean =>
  status.State !== 'pending' || status.Err !== reason;
