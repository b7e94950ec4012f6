import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import type { ClusterObject } from '../store/objects.js';
import type { CommittedChange, Store, Transaction } from '../store/store-types.js';
import { parseSlotKey, slotKey, type SlotKey } from './dirty-slots.js';
import { decideHistory, DEFAULT_HISTORY, type HistoryDecision } from './task-history.js';

/** Deletions gather this long, ms: tasks of a service end one by one within moments. */
const SETTLE = 100;
/** Slots of one transaction. */
const LIMIT = 1_000;

export interface ReaperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Forgets tasks that are history, slot by slot (see task-history.ts). */
export function startReaper({ store, clock, logger }: ReaperOptions): { close(): Promise<void> } {
  /** In memory only: a manager that comes back counts the patience for a down node anew. */
  const downSince = new Map<string, number>();
  const loop = new ControlLoop<SlotKey>({
    name: 'reaper',
    clock,
    logger,
    settle: SETTLE,
    limit: LIMIT,
    run: async (keys) => {
      const decisions = await store.update((tx) => keys.map((key) => [key, reap(tx, key, downSince)] as const));
      for (const [key, { deletions, wakeAt }] of decisions) {
        for (const deletion of deletions) logger.debug({ ...deletion }, 'task forgotten');
        if (wakeAt !== undefined) loop.markAt(key, wakeAt);
      }
    },
  });
  const markAll = (): void => {
    for (const task of store.view.all('task')) loop.mark(slotKey(task));
  };
  const follow = (change: CommittedChange): void => {
    switch (change.table) {
      case 'task':
        if (change.after !== undefined && mayFree(change)) loop.mark(slotKey(change.after));
        break;
      case 'node': {
        if (change.after?.status.state !== 'down') downSince.delete(change.id);
        else if (!downSince.has(change.id)) downSince.set(change.id, clock.now());
        const lost = change.after === undefined || change.after.status.state === 'down';
        if (lost) for (const task of store.view.tasksByNode(change.id)) loop.mark(slotKey(task));
        break;
      }
      case 'cluster':
        if (retentionOf(change.before) !== retentionOf(change.after)) markAll();
        break;
      case 'service':
      case 'secret':
      case 'config':
      case 'audit':
        break;
    }
  };
  const unwatch = store.watch((commit) => {
    commit.changes.forEach(follow);
  });
  for (const node of store.view.all('node')) {
    if (node.status.state === 'down') downSince.set(node.id, clock.now());
  }
  markAll();
  return {
    close: () => {
      unwatch();
      return loop.close();
    },
  };
}

/** A task ended, or is wished away. (A further task of a slot comes with the end of the one before.) */
const mayFree = ({ before, after }: Extract<CommittedChange, { table: 'task' }>): boolean => {
  if (before === undefined || after === undefined) return false;
  return (
    before.desiredState !== after.desiredState || (isTerminal(after.status.State) && !isTerminal(before.status.State))
  );
};

const retentionOf = (cluster: ClusterObject | undefined): number =>
  cluster?.spec.Orchestration.TaskHistoryRetentionLimit ?? DEFAULT_HISTORY;

function reap(tx: Transaction, key: SlotKey, downSince: ReadonlyMap<string, number>): HistoryDecision {
  const { serviceId, slot } = parseSlotKey(key);
  if (slot === undefined) return { deletions: [] };
  const decision = decideHistory({
    tasks: tx.tasksBySlot(serviceId, slot),
    retention: retentionOf(tx.all('cluster')[0]),
    nodeOf: (id) => tx.get('node', id),
    downSince: (id) => downSince.get(id),
    now: tx.now,
  });
  for (const { taskId } of decision.deletions) tx.delete('task', taskId);
  return decision;
}
