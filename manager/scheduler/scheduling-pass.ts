import { type HostPower, refusedPower } from '../../proto/engine/host-options.js';
import type { Transaction } from '../store/store-types.js';
import { assign, lacksReason, pendingStatus } from './assign.js';
import type { FailureWindow } from './failure-window.js';
import { type Homecoming, sendHome } from './homecoming.js';
import type { Ledger } from './ledger.js';
import { NodePool } from './node-pool.js';
import { type GroupDecision, placeGroup, type Placement } from './place.js';
import { firstOf, type GroupKey, groupTasks, type TaskGroup } from './task-groups.js';

/** Nodes looked at in one pass to tell which groups may use them: some tens of milliseconds of work. */
const MOST_LOOKS = 200_000;

/** What is known beyond the store. */
export interface Knowledge {
  readonly ledger: Ledger;
  readonly failures: FailureWindow;
  /** Ids of nodes that get no new work for now. */
  readonly suspects: ReadonlySet<string>;
  /** Power over nodes that services may give to their containers. */
  readonly allowed: ReadonlySet<HostPower>;
}

/** What a pass needs of its transaction. */
export type PassRows = Pick<Transaction, 'now' | 'get' | 'all' | 'unassignedTasks' | 'tasksBySlot' | 'put'>;

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
  const { ledger, failures, suspects, allowed } = knowledge;
  const groups = groupTasks(tx.unassignedTasks(), keys);
  let left = budget;
  const homecomings = new Map<GroupKey, Homecoming>();
  for (const group of groups) {
    if (heldBack(group, tx, allowed) !== undefined) continue;
    const homecoming = sendHome(tx, group, knowledge, left);
    if (homecoming === undefined) continue;
    homecomings.set(group.key, homecoming);
    placed.push(...homecoming.placed);
    left -= homecoming.written;
  }
  const pool = new NodePool(tx.all('node'), ledger, suspects);
  for (const { tasks: all, ...group } of groups) {
    const home = homecomings.get(group.key);
    if (home?.waiting !== undefined) waiting.set(group.key, home.waiting);
    const tasks = home === undefined ? all : all.filter(({ id }) => !home.settled.has(id));
    if (tasks.length === 0 && left > 0) continue;
    if (left <= 0 || pool.looks > MOST_LOOKS) {
      unfinished.push(group.key);
      continue;
    }
    const taskIds = firstOf(tasks, left);
    const held = heldBack({ ...group, tasks }, tx, allowed);
    const decision: GroupDecision =
      held === undefined
        ? placeGroup({ ...group, taskIds }, pool, (nodeId) =>
            failures.count(group.serviceId, group.serviceVersion, nodeId, tx.now),
          )
        : { placements: [], waiting: { taskIds, reason: held } };
    for (const bare of decision.placements) {
      const placement = home === undefined ? bare : home.complete(bare);
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
    const unexplained = tasks.flatMap(({ id }) => tx.get('task', id) ?? []).filter((task) => lacksReason(task, reason));
    if (unexplained.length > left) unfinished.push(group.key);
    for (const task of unexplained.slice(0, left))
      tx.put('task', { ...task, status: pendingStatus(task, reason, tx.now) });
    left -= Math.min(left, unexplained.length);
  }
  return { placed, unfinished, waiting };
}

/** Why tasks get no node whatever room there is. */
const heldBack = (
  { serviceId, tasks }: Pick<TaskGroup, 'serviceId' | 'tasks'>,
  tx: Pick<PassRows, 'get'>,
  allowed: Knowledge['allowed'],
): string | undefined =>
  // Allowed when its service was written, and withdrawn since.
  refusedPower(tasks[0]?.hostOptions, allowed) ?? tx.get('service', serviceId)?.awaiting?.reason;
