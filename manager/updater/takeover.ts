import { isTerminal } from '../../proto/engine/task-state.js';
import { withoutDrain } from '../drain/task-wish.js';
import { retire } from '../orchestrator/stop-task.js';
import { earliest, type TaskAction } from '../orchestrator/task-action.js';
import type { TaskObject } from '../store/objects.js';
import { isUpToDate, sameEffect } from './effective-spec.js';
import { isOnlyAsked, type Misplaced, withoutMove } from './misplaced.js';
import { overdue } from './node-drain.js';
import { rolloutConfig } from './rollout-config.js';
import { nodeOfTask, type RolloutView, type SlotState } from './slot-state.js';

export interface TakeoverDecision {
  readonly actions: readonly TaskAction[];
  readonly wakeAt?: number;
  /** What the slot waits for, for the user. */
  readonly waiting?: string;
  /** Start-first could not work here, so the old task went first: why. */
  readonly obstacle?: string;
}

const NONE: TakeoverDecision = { actions: [] };

/**
 * The next step of a slot in which a task takes over from another: the old one goes when the new
 * one serves; the new one goes when it is not wanted any more; one that was on its way out is taken
 * back when it is what the service asks for again.
 */
export function decideTakeover(slot: SlotState, view: RolloutView): TakeoverDecision {
  const back = takeBack(slot, view);
  if (back.length > 0) return { actions: back };
  const { live, incumbent } = slot;
  if (live === undefined) return NONE;
  if (incumbent !== undefined && !isTerminal(incumbent.status.State)) return decidePair(live, incumbent, slot, view);
  return slot.open ? decideSettling(live, slot, view) : NONE;
}

/** A rollback finds the old task still draining: it goes on serving, and the new one goes instead. */
function takeBack({ live, incumbent, leaving }: SlotState, view: RolloutView): readonly TaskAction[] {
  const isCurrent = (task: TaskObject): boolean => isUpToDate(task, view.service, nodeOfTask(task, view.nodeOf));
  if (live === undefined || isCurrent(live)) return [];
  if (incumbent !== undefined && isCurrent(incumbent)) return [];
  const old = leaving.find(
    (task) =>
      task.draining?.then === 'shutdown' &&
      task.desiredState === 'running' &&
      task.status.State === 'running' &&
      task.unhealthy !== true &&
      nodeOfTask(task, view.nodeOf)?.spec.Availability !== 'drain' &&
      isCurrent(task),
  );
  if (old === undefined) return [];
  const reason = 'it runs what its service asks for again';
  return [
    { kind: 'amend', task: withoutDrain(old), reason },
    ...[live, incumbent].flatMap((task) =>
      task === undefined ? [] : [retire(task, 'shutdown', `task ${old.id} was taken back`, view)],
    ),
  ];
}

function decidePair(
  live: TaskObject,
  incumbent: TaskObject,
  { misplaced }: SlotState,
  view: RolloutView,
): TakeoverDecision {
  const { service, nodeOf } = view;
  const isCurrent = (task: TaskObject): boolean => isUpToDate(task, service, nodeOfTask(task, nodeOf));
  const activation = view.activation(live);
  const moved = sameEffect(live, incumbent);
  const vain = moved ? vainMove(live, incumbent, misplaced) : undefined;
  if (vain !== undefined) {
    const kept = { kind: 'amend', task: withoutMove(incumbent), reason: vain } as const;
    return { actions: [retire(live, 'shutdown', vain, view), kept] };
  }
  const wanted = moved ? misplaced.has(incumbent.id) || live.takeover?.rollout !== undefined : isCurrent(live);
  if (activation.kind === 'active' && (wanted || !isCurrent(incumbent))) {
    return { actions: [retire(incumbent, 'shutdown', `task ${live.id} has taken over: ${activation.reason}`, view)] };
  }
  if (!wanted) return { actions: [retire(live, 'shutdown', 'it is not wanted in its slot any more', view)] };
  for (const task of [live, incumbent]) {
    const late = overdue(task, view.nodeOf, view.now);
    if (late !== undefined) return { actions: [retire(task, 'shutdown', late, view)] };
  }
  const obstacle = live.heldBack === true ? undefined : noRoom(live);
  if (obstacle === undefined) {
    return {
      actions: [],
      waiting: activation.reason,
      ...(activation.kind === 'wait' && activation.wakeAt !== undefined ? { wakeAt: activation.wakeAt } : {}),
    };
  }
  const mayStopFirst = rolloutConfig(service).order === undefined && view.fitsInPlaceOf(live, incumbent);
  if (!mayStopFirst) return { actions: [], waiting: `start-first cannot go on: ${obstacle}` };
  const reason = `it makes room for task ${live.id}: ${obstacle}`;
  return { actions: [retire(incumbent, 'shutdown', reason, view)], obstacle };
}

/**
 * Why the new task of a move that somebody asked for comes to nothing: what was to be its node is gone
 * or full since. Then the old one stays where it is, and the request is done with.
 */
function vainMove(live: TaskObject, incumbent: TaskObject, misplaced: Misplaced): string | undefined {
  if (!isOnlyAsked(incumbent, misplaced)) return undefined;
  if (live.nodeId !== undefined && live.nodeId === incumbent.nodeId) return 'no other node is a better place for it';
  const obstacle = noRoom(live);
  return obstacle === undefined ? undefined : `it cannot be moved: ${obstacle}`;
}

/** The old task was told to go, or there was none: the change of the slot is over when it has gone and the new one serves. */
function decideSettling(live: TaskObject, slot: SlotState, view: RolloutView): TakeoverDecision {
  const activation = view.activation(live);
  const { takeover } = live;
  if (activation.kind === 'wait' || slot.leaving.length > 0 || takeover === undefined) {
    const wakeAt = activation.kind === 'wait' ? activation.wakeAt : undefined;
    return {
      actions: [],
      ...(activation.kind === 'wait' ? { waiting: activation.reason } : {}),
      ...(wakeAt === undefined ? {} : { wakeAt }),
    };
  }
  const settled = { ...live, takeover: { ...takeover, settledAt: view.now } };
  return { actions: [{ kind: 'amend', task: settled, reason: 'it has taken over its slot' }] };
}

/** Why no node takes this task, as the scheduler says. */
const noRoom = ({ nodeId, status }: TaskObject): string | undefined =>
  nodeId === undefined && status.State === 'pending' && (status.Err ?? '') !== '' ? status.Err : undefined;

/** The earliest of the wake-ups of several slots. */
export const firstWakeUp = (decisions: readonly TakeoverDecision[]): number | undefined =>
  decisions.reduce<number | undefined>((wakeAt, next) => earliest(wakeAt, next.wakeAt), undefined);
