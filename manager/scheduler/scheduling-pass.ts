import { timestamp } from '../../core/clock.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { TaskObject } from '../store/objects.js';
import type { Transaction } from '../store/store-types.js';
import type { FailureWindow } from './failure-window.js';
import type { Ledger } from './ledger.js';
import { NodePool } from './node-pool.js';
import { placeGroup, type Placement } from './place.js';
import { firstOf, type GroupKey, groupTasks } from './task-groups.js';

export const ASSIGNED_MESSAGE = 'scheduler assigned task to node';
export const PENDING_MESSAGE = 'pending task scheduling';

/** Nodes looked at in one pass to tell which groups may use them: some tens of milliseconds of work. */
const MOST_LOOKS = 200_000;

/** What is known beyond the store. */
export interface Knowledge {
  readonly ledger: Ledger;
  readonly failures: FailureWindow;
  /** Ids of nodes that get no new work for now. */
  readonly suspects: ReadonlySet<string>;
}

/** What a pass needs of its transaction. */
export type PassRows = Pick<Transaction, 'now' | 'get' | 'all' | 'unassignedTasks' | 'put'>;

export interface PassReport {
  readonly placed: readonly Placement[];
  /** Groups with more work than fitted this pass. */
  readonly unfinished: readonly GroupKey[];
  /** Groups with tasks that no node takes, with the reason. */
  readonly waiting: ReadonlyMap<GroupKey, string>;
}

/**
 * Gives nodes to the waiting tasks of the named groups, with at most `budget` rows written. It
 * decides on the rows of the transaction and books in the ledger as it goes, so no two passes can
 * give the same room away. When the transaction fails, the ledger must be made anew.
 */
export function runPass(tx: PassRows, keys: ReadonlySet<GroupKey>, knowledge: Knowledge, budget: number): PassReport {
  const placed: Placement[] = [];
  const unfinished: GroupKey[] = [];
  const waiting = new Map<GroupKey, string>();
  const { ledger, failures, suspects } = knowledge;
  const pool = new NodePool(tx.all('node'), ledger, suspects);
  let left = budget;
  for (const { tasks, ...group } of groupTasks(tx.unassignedTasks(), keys)) {
    if (left <= 0 || pool.looks > MOST_LOOKS) {
      unfinished.push(group.key);
      continue;
    }
    const taskIds = firstOf(tasks, left);
    const decision = placeGroup({ ...group, taskIds }, pool, (nodeId) =>
      failures.count(group.serviceId, group.serviceVersion, nodeId, tx.now),
    );
    for (const placement of decision.placements) {
      assign(tx, placement, ledger);
      placed.push(placement);
    }
    left -= decision.placements.length;
    if (decision.waiting === undefined) {
      if (taskIds.length < tasks.length) unfinished.push(group.key);
      continue;
    }
    const { reason } = decision.waiting;
    waiting.set(group.key, reason);
    // What has no room for the first of alike tasks has none for the others.
    const unexplained = tasks
      .flatMap(({ id }) => tx.get('task', id) ?? [])
      .filter(({ nodeId, status }) => nodeId === undefined && (status.State !== 'pending' || status.Err !== reason));
    if (unexplained.length > left) unfinished.push(group.key);
    for (const task of unexplained.slice(0, left))
      tx.put('task', { ...task, status: pendingStatus(task, reason, tx.now) });
    left -= Math.min(left, unexplained.length);
  }
  return { placed, unfinished, waiting };
}

function assign(tx: PassRows, { taskId, nodeId, generics }: Placement, ledger: Ledger): void {
  const task = tx.get('task', taskId);
  if (task === undefined) return;
  const status: TaskStatus = { Timestamp: timestamp(tx.now), State: 'assigned', Message: ASSIGNED_MESSAGE };
  const given = generics === undefined ? {} : { genericResources: generics };
  const assigned = { ...task, nodeId, status, ...given };
  tx.put('task', assigned);
  ledger.set(taskId, assigned);
}

/** The time stays that at which the task began to wait, when only the reason changes. */
const pendingStatus = (task: TaskObject, reason: string, now: number): TaskStatus => ({
  Timestamp: task.status.State === 'pending' ? task.status.Timestamp : timestamp(now),
  State: 'pending',
  Message: PENDING_MESSAGE,
  Err: reason,
});
