import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import type { HostPower } from '../../proto/engine/host-options.js';
import type { NodeObject, TaskObject } from '../store/objects.js';
import type { CommittedChange, Store, View } from '../store/store-types.js';
import { Backlog } from './backlog.js';
import { FailureWindow } from './failure-window.js';
import { KeptPool } from './kept-pool.js';
import { Ledger } from './ledger.js';
import { type PassReport, runPass } from './scheduling-pass.js';
import type { GroupKey } from './waiting-group.js';

/** Rows written by one pass. */
const BUDGET = 1_000;
/** Groups of one pass. */
const LIMIT = 1_000;
/** A node that returns from suspicion changes no row: tasks that wait look again after so long, ms. */
const SUSPECT_RETRY = 250;

export interface SchedulerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ids of nodes whose session broke: they get no new work. */
  readonly avoid: () => ReadonlySet<string>;
  /** Power over nodes that services may give to their containers. */
  readonly allowed: ReadonlySet<HostPower>;
}

/**
 * Gives every waiting task a node as soon as one can take it. Passes run for the groups of tasks
 * that are new, and for those that wait whenever a node or room on a node comes.
 */
export function startScheduler(options: SchedulerOptions): { close(): Promise<void> } {
  const { store, clock, logger, avoid, allowed } = options;
  const failures = new FailureWindow();
  const backlog = new Backlog();
  const pool = new KeptPool();
  let ledger = openLedger(store.view);
  /** Groups of which a task found no node in their last pass, with the reason. */
  const waiting = new Map<GroupKey, string>();

  const loop = new ControlLoop<GroupKey>({
    name: 'scheduler',
    clock,
    logger,
    limit: LIMIT,
    run: async (keys) => {
      let suspects: ReadonlySet<string> = new Set();
      let report: PassReport;
      try {
        report = await store.update((tx) => {
          // As the pass saw them: one that returns before its commit must not be the reason to wait for good.
          suspects = new Set(avoid());
          return runPass(tx, new Set(keys), { backlog, ledger, pool, failures, suspects, allowed }, BUDGET);
        });
      } catch (error) {
        // What the failed pass booked never happened.
        ledger = openLedger(store.view);
        throw error;
      }
      for (const key of keys) {
        const reason = report.waiting.get(key);
        if (reason !== undefined && reason !== waiting.get(key)) logger.info({ group: key, reason }, 'tasks wait');
        if (reason === undefined) waiting.delete(key);
        else waiting.set(key, reason);
        if (reason !== undefined && suspects.size > 0) loop.markAt(key, clock.now() + SUSPECT_RETRY);
      }
      for (const key of report.unfinished) loop.mark(key);
      for (const placement of report.placed) {
        logger.debug({ placement }, 'task placed');
        const { taskId, volumesLeft } = placement;
        if (volumesLeft !== undefined)
          logger.warn({ task: taskId, ...volumesLeft }, 'volume data stays on another node');
      }
    },
  });

  /** Tells whether tasks that found no node may find one now. */
  const follow = (change: CommittedChange): boolean => {
    switch (change.table) {
      case 'task': {
        const { before, after } = change;
        const group = backlog.set(change.id, after);
        if (group !== undefined) loop.mark(group);
        if (after !== undefined && failedNow(before, after)) {
          failures.record(after.serviceId, after.serviceVersion, after.nodeId, clock.now());
        }
        return ledger.set(change.id, after);
      }
      case 'node':
        return mattersToPlacement(change.before, change.after);
      case 'service':
        if (change.after === undefined) failures.forget(change.id);
        if (change.before?.awaiting !== change.after?.awaiting) retryGroups(change.id);
        return false;
      case 'cluster':
      case 'secret':
      case 'config':
      case 'audit':
        return false;
    }
  };
  /** Also what a pass under way is just about to find no node for: it does not see what came since. */
  const retryWaiting = (): void => {
    for (const key of backlog.keys()) loop.mark(key);
  };

  /** Those of one service: it may be started now, or waits for something else. */
  const retryGroups = (serviceId: string): void => {
    for (const key of backlog.keys()) if (key.startsWith(`${serviceId}@`)) loop.mark(key);
  };

  const unwatch = store.watch((commit) => {
    // Each change is followed, then the groups are marked once.
    if (commit.changes.map(follow).some((came) => came)) retryWaiting();
  });
  recallFailures(store.view, failures);
  for (const task of store.view.unassignedTasks()) backlog.set(task.id, task);
  for (const key of backlog.keys()) loop.mark(key);
  return {
    close: () => {
      unwatch();
      return loop.close();
    },
  };
}

function openLedger(view: View): Ledger {
  const ledger = new Ledger();
  for (const task of view.all('task')) ledger.set(task.id, task);
  return ledger;
}

/** The failures that the task history still shows, by the clocks of the nodes. */
function recallFailures(view: View, failures: FailureWindow): void {
  for (const task of view.all('task')) {
    if (failedNow(undefined, task)) {
      failures.record(task.serviceId, task.serviceVersion, task.nodeId, Date.parse(task.status.Timestamp));
    }
  }
}

const isFailure = (task: TaskObject): boolean => task.status.State === 'failed' || task.status.State === 'rejected';

const failedNow = (
  before: TaskObject | undefined,
  after: TaskObject,
): after is TaskObject & { readonly nodeId: string } =>
  after.nodeId !== undefined && isFailure(after) && !(before !== undefined && isFailure(before));

const mattersToPlacement = (before: NodeObject | undefined, after: NodeObject | undefined): boolean =>
  before?.status.state !== after?.status.state ||
  before?.spec !== after?.spec ||
  before?.status.addr !== after?.status.addr ||
  before?.description !== after?.description;
