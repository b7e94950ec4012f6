import { isTerminal, stateOrder } from '../../proto/engine/task-state.js';
import { finalWish, shallLive } from '../drain/task-wish.js';
import type { ServiceObject, Takeover, TaskObject } from '../store/objects.js';
import { runsAlike } from '../updater/effective-spec.js';
import { isRolling, rolloutConfig } from '../updater/rollout-config.js';
import { judgeLoss, judgeRestart, type RestartVerdict, waitingUntil } from './restart.js';
import { isOrphan, lose, lossOf, retire, stoppingTasks } from './stop-task.js';
import { decision, type Decision, earliest, type NodeLookup, type TaskAction } from './task-action.js';
import { draftTask, type TaskStart, wishFor } from './task-draft.js';
import { condemn, isUnhealthy, markUnhealthy, mayRunBeside } from './unhealthy.js';

/** A replacement waits for the old task to stop, but no longer than this after it was told to, ms. */
export const OLD_TASK_TIMEOUT = 60_000;

export interface SlotView {
  readonly service: ServiceObject;
  readonly slot: number;
  /** All tasks of the slot, in any order. */
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
  /** How many tasks are on their way off a node, of whichever service; see node-drain.ts. */
  readonly movingOff: (nodeId: string) => number;
  readonly now: number;
}

/**
 * A slot is filled while a task of it is not being removed. One that holds only ended tasks is
 * finished: its policy allowed no further restart when the last one ended, and that stays so.
 */
export const isFilled = (tasks: readonly TaskObject[]): boolean => tasks.some((task) => finalWish(task) !== 'remove');

/**
 * Keeps one filled slot as its service wishes: replaces what ended or was lost, lets a waiting
 * replacement start. After it at most one task of the slot is desired to live, or two while one
 * takes over from the other.
 */
export function decideSlot(view: SlotView): Decision {
  const actions: TaskAction[] = [];
  let wakeAt: number | undefined;
  const { keep, incumbent, surplus } = chooseLive(view.tasks);
  for (const task of surplus) actions.push(retire(task, 'shutdown', 'another task of its slot lives', view));
  for (const task of view.tasks) if (!shallLive(task) && isOrphan(task, view)) actions.push(lose(task, view));
  if (incumbent !== undefined) actions.push(...endOnly(incumbent, view));
  if (keep !== undefined) {
    const next = decideLive(keep, view, incumbent);
    actions.push(...next.actions);
    wakeAt = earliest(wakeAt, next.wakeAt);
  }
  return decision(actions, wakeAt);
}

interface LiveTasks {
  /** The one that the slot has, or gets. */
  readonly keep: TaskObject | undefined;
  /** The one that serves until `keep` has taken over. */
  readonly incumbent: TaskObject | undefined;
  readonly surplus: readonly TaskObject[];
}

/** Of the tasks of a slot that shall live. */
export function chooseLive(tasks: readonly TaskObject[]): LiveTasks {
  const live = tasks.filter(shallLive).sort(mostWorthKeeping);
  const incumbentOf = (task: TaskObject): TaskObject | undefined =>
    task.takeover?.from === undefined ? undefined : live.find(({ id }) => id === task.takeover?.from);
  const keep = live.find((task) => incumbentOf(task) !== undefined) ?? live[0];
  const incumbent = keep === undefined ? undefined : incumbentOf(keep);
  return { keep, incumbent, surplus: live.filter((task) => task !== keep && task !== incumbent) };
}

/** The end of a task that is not replaced: another one has its slot. */
function endOnly(task: TaskObject, view: SlotView): readonly TaskAction[] {
  if (isTerminal(task.status.State) && task.status.State !== 'orphaned') {
    return [{ kind: 'wish', task, desiredState: 'shutdown', reason: 'it ended; another task has its slot' }];
  }
  if (lossOf(task, view.nodeOf) !== undefined) return [lose(task, view)];
  return isUnhealthy(task) ? [condemn(task, view)] : [];
}

function decideLive(live: TaskObject, view: SlotView, incumbent: TaskObject | undefined): Decision {
  const lost = live.status.State === 'orphaned' || lossOf(live, view.nodeOf) !== undefined;
  const ended = isTerminal(live.status.State) && live.status.State !== 'orphaned';
  if (!ended && lost) return replace(live, lose(live, view), judgeLoss(live, view.now), view, incumbent);
  if (ended || isUnhealthy(live)) {
    const counted = countFailure(live, view);
    const verdict = incumbent !== undefined && isHalted(live, view) ? HALTED : judgeRestart(live, view.now);
    if (!ended) return replace(markUnhealthy(counted), condemn(counted, view), verdict, view, incumbent);
    const end: TaskAction = { kind: 'wish', task: counted, desiredState: 'shutdown', reason: verdict.reason };
    return replace(counted, end, verdict, view, incumbent);
  }
  return live.desiredState === 'ready' ? decideWaiting(live, view, incumbent) : decision([], undefined);
}

const HALTED: RestartVerdict = { restart: false, reason: 'its rollout was paused, and the old task serves on' };

/** A newcomer of a rollout that goes on no more is not tried again while the old task serves. */
const isHalted = ({ takeover }: TaskObject, { service }: SlotView): boolean =>
  takeover?.rollout !== undefined && !isRolling(service) && service.rollout !== undefined;

/** A task of a rollout that ended by itself too early is a failure of the rollout: noted on the task. */
function countFailure(task: TaskObject, { service, now }: SlotView): TaskObject {
  const { takeover } = task;
  if (takeover?.rollout === undefined || takeover.rollout !== service.rollout?.id) return task;
  const { settledAt } = takeover;
  if (settledAt !== undefined && now - settledAt > rolloutConfig(service).monitor) return task;
  return { ...task, takeover: { ...takeover, failures: takeover.failures + 1 } };
}

/** A replacement in the same decision as the end of the old task: a slot is never seen empty. */
export function replace(
  old: TaskObject,
  end: TaskAction,
  verdict: RestartVerdict,
  view: SlotView,
  incumbent: TaskObject | undefined,
): Decision {
  if (!verdict.restart) return decision([end], undefined);
  const tasks = view.tasks.map((task) => (task.id === old.id ? old : task));
  const blocked = incumbent === undefined && inTheWay({ ...view, tasks }).length > 0;
  const wait =
    verdict.startAfter === undefined ? '' : `; it waits ${verdict.startAfter - view.now} ms before it starts`;
  const reason = `replaces task ${old.id}: ${verdict.reason}`;
  const task = draftTask(
    view.service,
    view.slot,
    {
      blocked,
      restarts: verdict.restarts,
      pinnedTo: old.pinnedTo,
      message: blocked ? `${reason}; it waits for an older task to stop` : reason + wait,
      ...(verdict.startAfter === undefined ? {} : { startAfter: verdict.startAfter }),
      ...successionOf(old, view),
    },
    view.now,
  );
  const wakeAt = verdict.startAfter ?? (blocked ? view.now + OLD_TASK_TIMEOUT : undefined);
  return decision([end, { kind: 'create', task, reason }], wakeAt);
}

/**
 * What a replacement takes on from the task it follows: its part in a rollout and, while a rollout
 * has not come to its slot, its spec. A slot changes its spec by the rollout alone.
 */
function successionOf(old: TaskObject, { service }: SlotView): Pick<TaskStart, 'takeover' | 'template'> {
  const keepsSpec = service.rollout !== undefined && !runsAlike(old, service);
  return {
    ...(old.takeover === undefined ? {} : { takeover: unsettled(old.takeover) }),
    ...(keepsSpec ? { template: old } : {}),
  };
}

function unsettled({ from, rollout, failures }: Takeover): Takeover {
  return { failures, ...(from === undefined ? {} : { from }), ...(rollout === undefined ? {} : { rollout }) };
}

/** Tasks of the slot that another one waits for before it starts. */
const inTheWay = (view: SlotView, except?: TaskObject): readonly TaskObject[] =>
  stoppingTasks(view, except).filter((task) => !mayRunBeside(task, view.service));

/** Lets a waiting replacement run once its delay is over and the slot's old tasks have stopped. */
function decideWaiting(live: TaskObject, view: SlotView, incumbent: TaskObject | undefined): Decision {
  const startAfter = waitingUntil(live, view.now);
  if (startAfter > view.now) return decision([], startAfter);
  const stopping = incumbent === undefined ? inTheWay(view, live) : [];
  const giveUp =
    OLD_TASK_TIMEOUT + Math.max(live.createdAt, ...stopping.map(({ draining }) => draining?.deadline ?? 0));
  // A job never has more under way than it asks for: what it waits for ends, or is lost with its node.
  if (stopping.length > 0 && live.jobIteration !== undefined) return decision([], undefined);
  if (stopping.length > 0 && giveUp > view.now) return decision([], giveUp);
  const reason =
    stopping.length > 0
      ? `the old task did not stop within ${OLD_TASK_TIMEOUT / 1000} s`
      : 'its delay is over and the old task has stopped';
  return decision([{ kind: 'wish', task: live, desiredState: wishFor(live), reason }], undefined);
}

/** The furthest of those that have not ended, then the newest. */
function mostWorthKeeping(a: TaskObject, b: TaskObject): number {
  const progress = (task: TaskObject): number => (isTerminal(task.status.State) ? -1 : stateOrder(task.status.State));
  return progress(b) - progress(a) || b.version - a.version || (a.id < b.id ? -1 : 1);
}
