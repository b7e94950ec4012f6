import { drainDeadline, progressDeadline } from '../../proto/engine/service-deadlines.js';
import { OLD_TASK_TIMEOUT } from '../orchestrator/slot.js';
import { earliest, type TaskAction } from '../orchestrator/task-action.js';
import { nextOverdue } from './node-drain.js';
import { rolloutConfig, isRolling, type RolloutConfig } from './rollout-config.js';
import { failuresOf, lastFailed, type RolloutView, type SlotState, slotStates } from './slot-state.js';
import { orderOf, startChange, startMoves } from './start-takeover.js';
import { decideTakeover, firstWakeUp, type TakeoverDecision } from './takeover.js';

/** How a rollout ends, or what is to be said of it meanwhile. */
export type RolloutVerdict =
  | { readonly kind: 'completed'; readonly message: string }
  | { readonly kind: 'paused'; readonly message: string }
  | { readonly kind: 'roll-back'; readonly message: string }
  | { readonly kind: 'goes-on'; readonly message: string };

export interface RolloutDecision {
  readonly actions: readonly TaskAction[];
  readonly verdict?: RolloutVerdict;
  /** When to decide again although nothing changed, ms since the epoch. */
  readonly wakeAt?: number;
}

/**
 * The next step of all planned changes of a service: slots in which one task takes over from another,
 * the rollout of its spec, and moves off nodes that are to be emptied.
 *
 * Invariant: a task that serves is sent away only when the task that takes over from it serves, or
 * when the order is stop-first; and no more slots are changed at once than the settings allow.
 */
export function decideRollout(view: RolloutView): RolloutDecision {
  const slots = slotStates(view);
  const takeovers = slots.map((slot) => ({ slot, next: decideTakeover(slot, view) }));
  const actions = takeovers.flatMap(({ next }) => next.actions);
  const wakeAt = earliest(
    firstWakeUp(takeovers.map(({ next }) => next)),
    nextOverdue(view.tasks, view.nodeOf, view.now),
  );
  // One step at a time: what these actions bring about is looked at in the next decision.
  if (actions.length > 0)
    return { actions, ...(wakeAt === undefined ? {} : { wakeAt }), ...obstacleVerdict(takeovers, view) };
  const rolling = isRolling(view.service);
  const rollout = rolling
    ? decideRolling(
        slots,
        takeovers.map(({ next }) => next),
        view,
      )
    : { actions: [] };
  const moves = rollout.actions.length > 0 ? [] : startMoves(slots, { ...view, rolling });
  const wake = earliest(wakeAt, rollout.wakeAt);
  return { ...rollout, actions: [...rollout.actions, ...moves], ...(wake === undefined ? {} : { wakeAt: wake }) };
}

function obstacleVerdict(
  takeovers: readonly { readonly next: TakeoverDecision }[],
  view: RolloutView,
): { readonly verdict?: RolloutVerdict } {
  const obstacle = takeovers.find(({ next }) => next.obstacle !== undefined)?.next.obstacle;
  if (obstacle === undefined || !isRolling(view.service)) return {};
  return { verdict: { kind: 'goes-on', message: `${progressWords(view)}; stop-first, because ${obstacle}` } };
}

function decideRolling(
  slots: readonly SlotState[],
  takeovers: readonly TakeoverDecision[],
  view: RolloutView,
): RolloutDecision {
  const { service, now } = view;
  const { rollout } = service;
  if (rollout === undefined) return { actions: [] };
  const config = rolloutConfig(service);
  const failures = slots.reduce((sum, slot) => sum + failuresOf(slot, rollout.id), 0);
  if (failures > 0 && config.failureAction !== 'continue') {
    if (failures / Math.max(1, rollout.slots) > config.maxFailureRatio) {
      const task = lastFailed(slots, rollout.id);
      const named = task === undefined ? '' : ` ${task.id}`;
      return fail(`due to failure or early termination of task${named}`, config, view);
    }
  }

  const waits = takeovers.flatMap(({ waiting }, index) =>
    waiting === undefined ? [] : `${service.spec.Name}.${slots[index]?.name ?? ''}: ${waiting}`,
  );
  const stuckAt = lastProgress(slots, config, view) + progressDeadline(service.spec.Labels) + stopPatience(slots, view);
  const stuck = now >= stuckAt;
  if (stuck && config.failureAction !== 'continue' && slots.some(isUnfinished)) {
    const seconds = progressDeadline(service.spec.Labels) / 1000;
    const why = waits.length === 0 ? '' : `: ${waits.slice(0, 3).join('; ')}`;
    return fail(`due to no progress within ${seconds} s${why}`, config, view);
  }

  const givenUp = (slot: SlotState): boolean =>
    config.failureAction === 'continue' && ((stuck && slot.open) || failuresOf(slot, rollout.id) > 0);
  const waiting = slots.filter((slot) => isWaiting(slot, rollout.id));
  const startable = waiting.filter(
    ({ leaving, incumbent, live }) =>
      incumbent === undefined && (leaving.length === 0 || live?.status.State !== 'running'),
  );
  const busy = slots.filter(
    (slot) => isBusy(slot, rollout.id, config, now) && !givenUp(slot) && !startable.includes(slot),
  );
  const chosen = startable.sort(byNeed).slice(0, Math.max(0, config.parallelism - busy.length));
  if (chosen.length > 0) {
    return {
      actions: chosen.flatMap((slot) => startChange(slot, rollout.id, view)),
      verdict: { kind: 'goes-on', message: inProgress(waits, view) },
      wakeAt: stuckAt,
    };
  }
  const unfinished = slots.filter((slot) => (isUnfinished(slot) && !givenUp(slot)) || waiting.includes(slot));
  if (unfinished.length > 0) {
    const settled = slots.flatMap(({ live }) => live?.takeover?.settledAt ?? []);
    const nextStart =
      waiting.length > 0 ? Math.min(...settled.map((at) => at + config.delay).filter((at) => at > now)) : Infinity;
    return {
      actions: [],
      verdict: { kind: 'goes-on', message: inProgress(waits, view) },
      wakeAt: Math.min(nextStart, stuck ? now + config.monitor : stuckAt),
    };
  }
  const settled = slots.flatMap(({ live }) =>
    live?.takeover?.rollout === rollout.id ? (live.takeover.settledAt ?? []) : [],
  );
  const watchedUntil = Math.max(rollout.startedAt, ...settled.map((at) => at + config.monitor));
  if (now < watchedUntil) {
    return { actions: [], verdict: { kind: 'goes-on', message: inProgress([], view) }, wakeAt: watchedUntil };
  }
  return { actions: [], verdict: { kind: 'completed', message: completed(slots.filter(givenUp), view) } };
}

/** Its change has not begun, or only one that was superseded since. One that failed is not begun again. */
const isWaiting = (slot: SlotState, rolloutId: number): boolean =>
  slot.dirty && !(slot.open && slot.live?.takeover?.rollout === rolloutId) && failuresOf(slot, rolloutId) === 0;

/** A change of the slot has begun and is not over, or it is still to come. */
const isUnfinished = (slot: SlotState): boolean => slot.open || (slot.dirty && slot.live !== undefined);

/** It takes one of the places that the parallelism gives: until its change is over and the delay after it. */
const isBusy = ({ open, leaving, live }: SlotState, rolloutId: number, config: RolloutConfig, now: number): boolean =>
  open ||
  leaving.length > 0 ||
  (live?.takeover?.rollout === rolloutId &&
    live.takeover.settledAt !== undefined &&
    now < live.takeover.settledAt + config.delay);

/** Slots in which nothing serves come first: they have nothing to lose. */
function byNeed(a: SlotState, b: SlotState): number {
  const need = ({ live }: SlotState): number => (live?.status.State === 'running' ? 1 : 0);
  return need(a) - need(b) || a.slot - b.slot;
}

function lastProgress(slots: readonly SlotState[], config: RolloutConfig, { service }: RolloutView): number {
  const { rollout } = service;
  const settled = slots.flatMap(({ live }) =>
    live?.takeover?.rollout === rollout?.id ? (live?.takeover?.settledAt ?? []) : [],
  );
  return Math.max(rollout?.startedAt ?? 0, ...settled.map((at) => at + config.delay));
}

/** A task that stops has its own time, which says nothing about the rollout, ms. */
const stopPatience = (slots: readonly SlotState[], { service }: RolloutView): number =>
  slots.some(({ leaving }) => leaving.length > 0) ? drainDeadline(service.spec.Labels) + OLD_TASK_TIMEOUT : 0;

const isRollback = ({ service }: RolloutView): boolean => service.updateStatus?.State === 'rollback_started';

const progressWords = (view: RolloutView): string => (isRollback(view) ? 'rollback in progress' : 'update in progress');

/** The words of the Engine, then what it does not say. */
function inProgress(waits: readonly string[], view: RolloutView): string {
  const { order, obstacle, explicit } = orderOf(view);
  const why =
    obstacle === undefined
      ? ''
      : explicit && order === 'start-first'
        ? `; start-first may not work: ${obstacle}`
        : explicit
          ? ''
          : `; stop-first, because ${obstacle}`;
  const blocked = waits.find((wait) => wait.includes('start-first cannot go on'));
  return `${progressWords(view)}${why}${blocked === undefined ? '' : `; ${blocked}`}`;
}

function completed(givenUp: readonly SlotState[], view: RolloutView): string {
  const words = isRollback(view) ? 'rollback completed' : 'update completed';
  if (givenUp.length === 0) return words;
  return `${words}; slots that do not run what it asks for: ${givenUp.map(({ name }) => name).join(', ')}`;
}

/** The failure action as verdict. A rollback that fails is not rolled back again. */
function fail(cause: string, { failureAction }: RolloutConfig, view: RolloutView): RolloutDecision {
  if (isRollback(view)) return { actions: [], verdict: { kind: 'paused', message: `rollback paused ${cause}` } };
  if (failureAction === 'rollback' && view.service.previousSpec !== undefined) {
    return { actions: [], verdict: { kind: 'roll-back', message: `update rolled back ${cause}` } };
  }
  const why = failureAction === 'rollback' ? '; there is no previous spec to go back to' : '';
  return { actions: [], verdict: { kind: 'paused', message: `update paused ${cause}${why}` } };
}
