import type { RestartPolicy } from '../../proto/engine/task-spec.js';
import type { TaskObject } from '../store/objects.js';

/**
 * Delays when the policy names none, ms: doubled from one failure to the next, back to the first
 * after a stable run.
 */
const BACKOFF_STEPS = [100, 200, 400, 800, 1_600, 3_200, 5_000] as const;
const FIRST_STEP = BACKOFF_STEPS[0];
const LAST_STEP = 5_000;

/** A task that lived this long after it was wished to run had started well, ms. */
export const STABLE_RUN = 10_000;

const NS_PER_MS = 1e6;

export type RestartVerdict =
  | {
      readonly restart: true;
      /** When the replacement may be wished to run; absent: at once. */
      readonly startAfter?: number;
      /** For the replacement: `TaskObject.restarts`. */
      readonly restarts: readonly number[];
      readonly reason: string;
    }
  | { readonly restart: false; readonly reason: string };

/**
 * Whether and when a task that ended by itself is replaced, by the RestartPolicy it was made with.
 *
 * All times are the manager's own (`now` is when the end became known): the clocks of nodes may be
 * wrong. The history is carried from task to task of a slot, so it outlives the manager.
 */
export function judgeRestart(task: TaskObject, now: number): RestartVerdict {
  const policy = task.spec.RestartPolicy ?? {};
  const ending = describeEnding(task);
  const condition = policy.Condition ?? 'any';
  if (condition === 'none') return { restart: false, reason: `${ending}; its restart condition is none` };
  if (condition === 'on-failure' && task.status.State === 'complete') {
    return { restart: false, reason: `${ending}; its restart condition is on-failure` };
  }
  const counted = countedRestarts(task, policy, now);
  const allowed = policy.MaxAttempts ?? 0;
  if (allowed > 0 && counted.length >= allowed) {
    return { restart: false, reason: `${ending}; it was restarted ${allowed} times, as often as its policy allows` };
  }
  const startAfter = Math.max(now + restartDelay(task, policy, now), waitingUntil(task, now));
  return {
    restart: true,
    restarts: allowed > 0 ? [...counted, now] : [],
    reason: ending,
    ...(startAfter > now ? { startAfter } : {}),
  };
}

/**
 * Whether a task whose node is lost is replaced elsewhere. That is no failure of its own: it costs
 * no delay and no attempt. A delay that it was still waiting for stays.
 */
export function judgeLoss(task: TaskObject, now: number): RestartVerdict {
  if (task.spec.RestartPolicy?.Condition === 'none') {
    return { restart: false, reason: 'its restart condition is none' };
  }
  const startAfter = waitingUntil(task, now);
  return {
    restart: true,
    restarts: task.restarts,
    reason: 'its node is lost',
    ...(startAfter > now ? { startAfter } : {}),
  };
}

/** Earlier restarts of the slot that still count against MaxAttempts. A window of 0 has no end. */
function countedRestarts(task: TaskObject, policy: RestartPolicy, now: number): readonly number[] {
  const window = policy.Window ?? 0;
  return window > 0 ? task.restarts.filter((time) => time > now - window / NS_PER_MS) : task.restarts;
}

/** A given Delay is obeyed as it is. Otherwise the delay of this task, doubled, unless it ran stably. */
function restartDelay(task: TaskObject, policy: RestartPolicy, now: number): number {
  if (policy.Delay !== undefined) return Math.ceil(policy.Delay / NS_PER_MS);
  if (task.startAfter === undefined || ranStably(task, now)) return FIRST_STEP;
  const previous = task.startAfter - task.createdAt;
  // Half a step of tolerance: the task may have been stored a moment after its delay was decided.
  return BACKOFF_STEPS.find((step) => step > previous * 1.5) ?? LAST_STEP;
}

/** One that was rejected never ran. */
const ranStably = (task: TaskObject, now: number): boolean =>
  task.status.State !== 'rejected' && now - Math.max(task.createdAt, task.startAfter ?? 0) >= STABLE_RUN;

/** A task made so much later than it is now was made before the clock was set back, ms. */
const CLOCK_STEP = 1_000;

/**
 * Until when a task waits out a delay; 0: it waits for none. How long it has waited is not known once the clock was
 * set back. It waits no longer then: the clock may have been wrong by a year.
 */
export function waitingUntil({ desiredState, startAfter = 0, createdAt }: TaskObject, now: number): number {
  return desiredState === 'ready' && createdAt - now <= CLOCK_STEP ? startAfter : 0;
}

function describeEnding(task: TaskObject): string {
  const { State, Err, health } = task.status;
  if (health !== undefined && State === 'running') return `failed: ${Err ?? health}`;
  const ending = State === 'complete' ? 'completed' : State === 'rejected' ? 'was rejected' : State;
  return Err === undefined || Err === '' ? ending : `${ending}: ${Err}`;
}
