import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import type { TaskObject } from '../store/objects.js';
import type { CommittedChange, Store, Transaction } from '../store/store-types.js';
import type { DrainVerdict } from './drain-gate.js';
import type { Handshake } from './handshake.js';
import { withoutDrain } from './task-wish.js';

/** Tasks of one transaction. */
const LIMIT = 1_000;

export interface DrainLoopOptions {
  readonly store: Store;
  readonly handshake: Handshake;
  /** Calls its listener when a mesh acknowledged a table or a count changed. */
  readonly onMeshReport: (listener: () => void) => () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Tells a draining task to stop as soon as the gate lets it go. Looks again at each word of a mesh,
 * each change of the task or of a node, and when a deadline passes.
 */
export function startDrainLoop({ store, handshake, onMeshReport, clock, logger }: DrainLoopOptions): {
  close(): Promise<void>;
} {
  const draining = new Set<string>();
  const loop = new ControlLoop<string>({
    name: 'drain',
    clock,
    logger,
    limit: LIMIT,
    run: async (ids) => {
      const judge = (task: TaskObject): DrainVerdict => handshake.drain(task, store.view, clock.now());
      const ready = ids.filter((id) => {
        const task = store.view.get('task', id);
        if (task?.draining === undefined) return false;
        const verdict = judge(task);
        if (verdict.kind === 'wait') loop.markAt(id, verdict.wakeAt);
        return verdict.kind !== 'wait';
      });
      if (ready.length === 0) return;
      // Judged anew in the transaction: the task may have been wanted back meanwhile.
      const released = await store.update((tx) => ready.flatMap((id) => release(tx, id, handshake)));
      for (const { task, verdict } of released) report(logger, task, verdict);
    },
  });
  const follow = (change: CommittedChange): void => {
    if (change.table === 'node') markAll();
    if (change.table !== 'task') return;
    const { id, after, before } = change;
    if (after === undefined || isTerminal(after.status.State)) handshake.forget(id);
    if (after?.draining !== undefined) {
      draining.add(id);
      loop.mark(id);
    } else if (before?.draining !== undefined) {
      draining.delete(id);
      handshake.forget(id);
    }
  };
  const markAll = (): void => {
    for (const id of draining) loop.mark(id);
  };
  const unsubscribe = [
    store.watch((commit) => {
      commit.changes.forEach(follow);
    }),
    onMeshReport(markAll),
  ];
  for (const task of store.view.all('task')) if (task.draining !== undefined) draining.add(task.id);
  markAll();
  return {
    close: () => {
      for (const stop of unsubscribe) stop();
      return loop.close();
    },
  };
}

interface Released {
  readonly task: TaskObject;
  readonly verdict: DrainVerdict;
}

function release(tx: Transaction, id: string, handshake: Handshake): readonly Released[] {
  const task = tx.get('task', id);
  if (task?.draining === undefined) return [];
  const verdict = handshake.drain(task, tx, tx.now);
  if (verdict.kind === 'wait') return [];
  tx.put('task', { ...withoutDrain(task), desiredState: task.draining.then });
  return [{ task, verdict }];
}

function report(logger: Logger, task: TaskObject, verdict: DrainVerdict): void {
  const { id: taskId, serviceName: service, slot, draining } = task;
  const line = { taskId, service, slot, cause: draining?.cause, reason: verdict.reason };
  if (verdict.kind === 'go-with-warning') logger.warn(line, 'task stopped with work in flight');
  else logger.info(line, 'task drained');
}
