import { isTerminal } from '../../proto/engine/task-state.js';
import { localVolumes } from '../scheduler/local-volumes.js';
import type { TaskObject } from '../store/objects.js';
import type { NodeLookup } from './task-action.js';

/** The API's default of TaskHistoryRetentionLimit. */
export const DEFAULT_HISTORY = 5;

/** After this long a task on a node that is down is given up, ms. */
export const DOWN_NODE_PATIENCE = 24 * 3_600_000;

export interface HistoryView {
  /** All tasks of one slot, in any order. */
  readonly tasks: readonly TaskObject[];
  /** TaskHistoryRetentionLimit of the swarm: tasks kept per slot, the live one included; negative = all. */
  readonly retention: number;
  readonly nodeOf: NodeLookup;
  /** Since when a node is down, as far as this manager saw it, ms since the epoch. */
  readonly downSince: (nodeId: string) => number | undefined;
  readonly now: number;
}

export interface HistoryDecision {
  readonly deletions: readonly { readonly taskId: string; readonly reason: string }[];
  /** When a task on a node that is down will be given up, ms since the epoch. */
  readonly wakeAt?: number;
}

/**
 * Which tasks of a slot may be forgotten: those to be removed that have stopped, and the oldest
 * ended ones beyond the history. Never the newest task of a slot that is not being removed: by it
 * the orchestrator knows that the slot is filled.
 */
export function decideHistory(view: HistoryView): HistoryDecision {
  const runs = new Set(view.tasks.map(({ jobIteration }) => jobIteration));
  // Each run of a job has slots of its own under the same numbers.
  const decisions = [...runs].map((run) =>
    decideRun({ ...view, tasks: view.tasks.filter(({ jobIteration }) => jobIteration === run) }),
  );
  const wakeAt = Math.min(Infinity, ...decisions.map((one) => one.wakeAt ?? Infinity));
  return {
    deletions: decisions.flatMap(({ deletions }) => deletions),
    ...(wakeAt === Infinity ? {} : { wakeAt }),
  };
}

function decideRun(view: HistoryView): HistoryDecision {
  const deletions: { taskId: string; reason: string }[] = [];
  let wakeAt = Infinity;
  const decided = (): HistoryDecision => ({ deletions, ...(wakeAt === Infinity ? {} : { wakeAt }) });
  const goneOrLater = (task: TaskObject): boolean => {
    const at = goneAt(task, view);
    if (at > view.now) wakeAt = Math.min(wakeAt, at);
    return at <= view.now;
  };
  for (const task of view.tasks) {
    if (task.desiredState === 'remove' && goneOrLater(task)) {
      deletions.push({ taskId: task.id, reason: 'it was to be removed and has stopped' });
    }
  }
  const kept = view.tasks.filter((task) => task.desiredState !== 'remove').sort((a, b) => a.version - b.version);
  const newest = kept.at(-1);
  // By its predecessors the scheduler knows where the data of its volumes is.
  if (newest !== undefined && newest.nodeId === undefined && localVolumes(newest.spec).length > 0) return decided();
  const limit = historyLimit(view.retention, newest);
  let excess = kept.length - limit;
  for (const task of kept) {
    if (excess <= 0) break;
    if (task === newest || task.desiredState !== 'shutdown' || !goneOrLater(task)) continue;
    deletions.push({ taskId: task.id, reason: `only the last ${limit} tasks of a slot are kept` });
    excess -= 1;
  }
  return decided();
}

/** A slot with a limit of attempts shows all of them, whatever the swarm keeps otherwise. */
function historyLimit(retention: number, newest: TaskObject | undefined): number {
  const attempts = newest?.spec.RestartPolicy?.MaxAttempts ?? 0;
  if (attempts > 0) return attempts + 1;
  return retention < 0 ? Infinity : retention;
}

/** From when on nothing of this task can run any more: in the past, a time to come, or Infinity while unknown. */
function goneAt(task: TaskObject, view: HistoryView): number {
  if (task.nodeId === undefined || isTerminal(task.status.State)) return 0;
  if (view.nodeOf(task.nodeId) === undefined) return 0;
  const since = view.downSince(task.nodeId);
  return since === undefined ? Infinity : since + DOWN_NODE_PATIENCE;
}
