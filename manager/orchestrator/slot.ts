import { isDesiredAlive, isTerminal, stateOrder } from '../../proto/engine/task-state.js';
import type { ServiceObject, TaskObject } from '../store/objects.js';
import { judgeLoss, judgeRestart, type RestartVerdict } from './restart.js';
import { decision, type Decision, type NodeLookup, type TaskAction } from './task-action.js';
import { draftTask, managerStatus } from './task-draft.js';

/** A replacement waits for the old task to stop, but no longer than this, ms. */
export const OLD_TASK_TIMEOUT = 60_000;

export interface SlotView {
  readonly service: ServiceObject;
  readonly slot: number;
  /** All tasks of the slot, in any order. */
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
  readonly now: number;
}

/**
 * A slot is filled while a task of it is not being removed. One that holds only ended tasks is
 * finished: its policy allowed no further restart when the last one ended, and that stays so.
 */
export const isFilled = (tasks: readonly TaskObject[]): boolean => tasks.some((task) => task.desiredState !== 'remove');

/** Why the node of this task is lost; undefined when it is not, or the task has no node yet. */
export function lossOf(task: TaskObject, nodeOf: NodeLookup): string | undefined {
  if (task.nodeId === undefined) return undefined;
  const node = nodeOf(task.nodeId);
  if (node === undefined) return `node ${task.nodeId} was removed from the swarm`;
  if (node.status.state !== 'down') return undefined;
  const name = node.description?.Hostname ?? node.id;
  return node.status.message === '' ? `node ${name} is down` : `node ${name} is down: ${node.status.message}`;
}

/**
 * Keeps one filled slot as its service wishes: replaces what ended or was lost, lets a waiting
 * replacement start. After it at most one task of the slot is desired to live.
 */
export function decideSlot(view: SlotView): Decision {
  const actions: TaskAction[] = [];
  const [live, ...surplus] = view.tasks.filter((task) => isDesiredAlive(task.desiredState)).sort(mostWorthKeeping);
  for (const task of surplus) actions.push(retire(task, 'shutdown', 'another task of its slot lives', view));
  for (const task of view.tasks) {
    if (!isDesiredAlive(task.desiredState) && isOrphan(task, view)) actions.push(lose(task, view));
  }
  if (live === undefined) return decision(actions, undefined);
  const next = decideLive(live, view);
  return decision([...actions, ...next.actions], next.wakeAt);
}

function decideLive(live: TaskObject, view: SlotView): Decision {
  const ended = isTerminal(live.status.State);
  if (ended && live.status.State !== 'orphaned') {
    const verdict = judgeRestart(live, view.now);
    const end: TaskAction = { kind: 'wish', task: live, desiredState: 'shutdown', reason: verdict.reason };
    return replace(live, end, verdict, view);
  }
  if (ended || lossOf(live, view.nodeOf) !== undefined) {
    return replace(live, lose(live, view), judgeLoss(live, view.now), view);
  }
  return live.desiredState === 'ready' ? decideWaiting(live, view) : decision([], undefined);
}

/** A replacement in the same decision as the end of the old task: a slot is never seen empty. */
function replace(old: TaskObject, end: TaskAction, verdict: RestartVerdict, view: SlotView): Decision {
  if (!verdict.restart) return decision([end], undefined);
  const blocked = stoppingTasks(view, old).length > 0;
  const wait =
    verdict.startAfter === undefined ? '' : `; it waits ${verdict.startAfter - view.now} ms before it starts`;
  const reason = `replaces task ${old.id}: ${verdict.reason}`;
  const task = draftTask(
    view.service,
    view.slot,
    {
      blocked,
      restarts: verdict.restarts,
      message: blocked ? `${reason}; it waits for an older task to stop` : reason + wait,
      ...(verdict.startAfter === undefined ? {} : { startAfter: verdict.startAfter }),
    },
    view.now,
  );
  const wakeAt = verdict.startAfter ?? (blocked ? view.now + OLD_TASK_TIMEOUT : undefined);
  return decision([end, { kind: 'create', task, reason }], wakeAt);
}

/** Lets a waiting replacement run once its delay is over and the slot's old tasks have stopped. */
function decideWaiting(live: TaskObject, view: SlotView): Decision {
  const startAfter = live.startAfter ?? 0;
  if (startAfter > view.now) return decision([], startAfter);
  const giveUp = live.createdAt + OLD_TASK_TIMEOUT;
  const stopping = stoppingTasks(view, live);
  if (stopping.length > 0 && giveUp > view.now) return decision([], giveUp);
  const reason =
    stopping.length > 0
      ? `the old task did not stop within ${OLD_TASK_TIMEOUT / 1000} s`
      : 'its delay is over and the old task has stopped';
  return decision([{ kind: 'wish', task: live, desiredState: 'running', reason }], undefined);
}

/** Other tasks of the slot that may still run. What stands on a lost node is not waited for. */
export const stoppingTasks = (view: Pick<SlotView, 'tasks' | 'nodeOf'>, except?: TaskObject): readonly TaskObject[] =>
  view.tasks.filter(
    (task) =>
      task !== except &&
      task.nodeId !== undefined &&
      !isTerminal(task.status.State) &&
      lossOf(task, view.nodeOf) === undefined,
  );

/** Sends a task away. Nobody would ever report the end of one that no node has: it is deleted. */
export function retire(
  task: TaskObject,
  desiredState: 'shutdown' | 'remove',
  reason: string,
  view: Pick<SlotView, 'nodeOf' | 'now'>,
): TaskAction {
  if (task.nodeId === undefined) return { kind: 'delete', task, reason };
  if (desiredState === 'shutdown' && isOrphan(task, view)) return lose(task, view);
  return { kind: 'wish', task, desiredState, reason };
}

function lose(task: TaskObject, view: Pick<SlotView, 'nodeOf' | 'now'>): TaskAction {
  const reason = lossOf(task, view.nodeOf) ?? task.status.Err ?? 'its node is lost';
  const orphan = isOrphan(task, view);
  return {
    kind: 'lose',
    task,
    desiredState: isDesiredAlive(task.desiredState) ? 'shutdown' : task.desiredState,
    reason,
    ...(orphan ? { status: { ...task.status, ...managerStatus(view.now, 'orphaned', 'node lost', reason) } } : {}),
  };
}

/** It has not ended, and the node that would say so was removed. */
const isOrphan = (task: TaskObject, view: Pick<SlotView, 'nodeOf'>): boolean =>
  task.nodeId !== undefined && !isTerminal(task.status.State) && view.nodeOf(task.nodeId) === undefined;

/** The furthest of those that have not ended, then the newest. */
function mostWorthKeeping(a: TaskObject, b: TaskObject): number {
  const progress = (task: TaskObject): number => (isTerminal(task.status.State) ? -1 : stateOrder(task.status.State));
  return progress(b) - progress(a) || b.version - a.version || (a.id < b.id ? -1 : 1);
}
