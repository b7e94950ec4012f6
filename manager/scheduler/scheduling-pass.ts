import { type HostPower, refusedPower } from '../../proto/engine/host-options.js';
import type { TaskObject } from '../store/objects.js';
import type { Transaction } from '../store/store-types.js';
import { Assigner, type Wait, waitingTask } from './assign.js';
import { type Backlog, waitsForNode } from './backlog.js';
import type { FailureWindow } from './failure-window.js';
import { type Homecoming, sendHome } from './homecoming.js';
import type { KeptPool } from './kept-pool.js';
import type { Ledger } from './ledger.js';
import type { NodePool } from './node-pool.js';
import { placeGroup } from './place.js';
import type { GroupDecision, Placement } from './placement.js';
import type { GroupKey, WaitingGroup } from './waiting-group.js';

/** Nodes looked at in one pass beyond those that heaps bring up: some tens of milliseconds of work. */
const MOST_LOOKS = 200_000;

/** What is known beyond the store. */
export interface Knowledge {
  readonly backlog: Backlog;
  readonly ledger: Ledger;
  readonly pool: KeptPool;
  readonly failures: FailureWindow;
  /** Ids of nodes that get no new work for now. */
  readonly suspects: ReadonlySet<string>;
  /** Power over nodes that services may give to their containers. */
  readonly allowed: ReadonlySet<HostPower>;
}

/** What a pass needs of its transaction. */
export type PassRows = Pick<Transaction, 'now' | 'get' | 'all' | 'tasksBySlot' | 'put'>;

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
 * give the same room away. When the transaction fails, the ledger must be made anew. The backlog is
 * told by the watch, as of every change of a task: until then it names tasks that wait no more,
 * which their rows show.
 */
export function runPass(tx: PassRows, keys: ReadonlySet<GroupKey>, knowledge: Knowledge, budget: number): PassReport {
  const pass = new Pass(tx, knowledge, budget);
  const groups = knowledge.backlog.groups(keys);
  for (const group of groups) pass.sendHome(group);
  const pool = knowledge.pool.of(tx.all('node'), knowledge.ledger, knowledge.suspects);
  const looks = pool.looks;
  for (const group of groups) pass.place(group, pool, pool.looks - looks > MOST_LOOKS);
  pool.booked();
  return pass;
}

class Pass implements PassReport {
  readonly placed: Placement[] = [];
  readonly unfinished: GroupKey[] = [];
  readonly waiting = new Map<GroupKey, string>();
  readonly #tx: PassRows;
  readonly #knowledge: Knowledge;
  readonly #assigner: Assigner;
  readonly #homecomings = new Map<GroupKey, Homecoming>();
  readonly #budget: number;
  /** Rows of it that may still be written. */
  #left: number;

  constructor(tx: PassRows, knowledge: Knowledge, budget: number) {
    this.#tx = tx;
    this.#knowledge = knowledge;
    this.#assigner = new Assigner(tx, knowledge.ledger);
    this.#budget = budget;
    this.#left = budget;
  }

  /** The tasks of a group that have data on some node come before all others. */
  sendHome(group: WaitingGroup): void {
    if (!group.hasVolumes || this.#heldBack(group) !== undefined) return;
    const alike = { requirement: group.requirement, tasks: this.#rows(group.first(Infinity)) };
    const homecoming = sendHome(this.#tx, alike, this.#knowledge, this.#assigner, this.#left);
    this.#homecomings.set(group.key, homecoming);
    this.placed.push(...homecoming.placed);
    this.#left -= homecoming.written;
    if (homecoming.waiting !== undefined) this.waiting.set(group.key, homecoming.waiting);
  }

  /** `skip`: it has to wait for the next pass. */
  place(group: WaitingGroup, pool: NodePool, skip: boolean): void {
    if (skip || this.#left <= 0) {
      this.unfinished.push(group.key);
      return;
    }
    const home = this.#homecomings.get(group.key);
    const named = group.first(this.#left + (home?.settled.size ?? 0));
    const tasks = this.#rows(named, home?.settled).slice(0, this.#left);
    if (home !== undefined && tasks.length === 0) return;
    const held = this.#heldBack(group);
    const { placements, waiting } = held === undefined ? this.#decide(group, tasks, pool) : heldBack(tasks, held);
    for (const [index, bare] of placements.entries()) {
      const task = tasks[index];
      if (task === undefined) continue;
      const placement = home === undefined ? bare : home.complete(bare);
      this.#assigner.assign(task, placement);
      this.placed.push(placement);
    }
    this.#left -= placements.length;
    if (waiting !== undefined)
      this.#explain(group, { reason: waiting.reason, held: held !== undefined }, home?.settled);
    else if (named.length < group.size) this.unfinished.push(group.key);
  }

  #decide(group: WaitingGroup, tasks: readonly TaskObject[], pool: NodePool): GroupDecision {
    const { serviceId, serviceVersion, requirement, pinnedTo } = group;
    const taskIds = tasks.map(({ id }) => id);
    const { failures } = this.#knowledge;
    return placeGroup({ serviceId, requirement, taskIds, pinnedTo }, pool, (nodeId) =>
      failures.count(serviceId, serviceVersion, nodeId, this.#tx.now),
    );
  }

  /** What has no room for the first of alike tasks has none for the others. */
  #explain(group: WaitingGroup, wait: Wait, settled?: ReadonlySet<string>): void {
    const { reason } = wait;
    this.waiting.set(group.key, reason);
    // The backlog does not know yet which tasks this pass has settled: one more than these and those that fit.
    const most = this.#budget + (settled?.size ?? 0) + 1;
    const named = group.unexplained(reason, most);
    const tasks = this.#rows(named, settled);
    if (tasks.length > this.#left || named.length === most) this.unfinished.push(group.key);
    for (const task of tasks.slice(0, this.#left)) {
      this.#tx.put('task', waitingTask(task, wait, this.#tx.now));
    }
    this.#left -= Math.min(this.#left, tasks.length);
  }

  /** The tasks as they are now, without those that wait no more and those that are seen to. */
  #rows(ids: readonly string[], settled?: ReadonlySet<string>): readonly TaskObject[] {
    const rows: TaskObject[] = [];
    for (const id of ids) {
      if (settled?.has(id) === true) continue;
      const task = this.#tx.get('task', id);
      if (task !== undefined && waitsForNode(task)) rows.push(task);
    }
    return rows;
  }

  /** Why tasks get no node whatever room there is. */
  #heldBack({ serviceId, sample }: WaitingGroup): string | undefined {
    // Allowed when its service was written, and withdrawn since.
    const withdrawn = refusedPower(sample.hostOptions, this.#knowledge.allowed);
    return withdrawn ?? this.#tx.get('service', serviceId)?.awaiting?.reason;
  }
}

const heldBack = (tasks: readonly TaskObject[], reason: string): GroupDecision => ({
  placements: [],
  waiting: { taskIds: tasks.map(({ id }) => id), reason },
});
