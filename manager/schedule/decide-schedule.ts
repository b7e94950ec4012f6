import type { CronTimes } from '../../proto/engine/cron.js';
import type { Schedule } from '../../proto/engine/schedule-labels.js';
import type { RunEnd, StartedRun } from '../store/objects.js';
import { judgeRun, type RunView } from './judge-run.js';
import { goingRuns } from './open-runs.js';

/** A due time that is handled later than this was missed, ms. */
export const MISSED_AFTER = 10_000;
/** More runs than this of one job never go on at once: tasks that hang must not fill the cluster. */
export const MOST_RUNS = 20;

export type ScheduleAction =
  | { readonly kind: 'end'; readonly iteration: number; readonly outcome: RunEnd['outcome']; readonly reason: string }
  | { readonly kind: 'start'; readonly cause: StartedRun['cause']; readonly due: number; readonly reason: string }
  | { readonly kind: 'skip'; readonly due: number; readonly reason: string };

export interface ScheduleDecision {
  readonly actions: readonly ScheduleAction[];
  /** When the next run is due, ms since the epoch; absent: never. */
  readonly wakeAt?: number;
}

export interface ScheduleView extends RunView {
  readonly schedule: Schedule;
  readonly times: CronTimes;
  readonly now: number;
}

/**
 * What the schedule of a job asks for now: which runs are over, and whether one begins or is skipped.
 * Of several due times that have passed only the last one counts, so that a manager that was away
 * makes up for one run at most.
 */
export function decideSchedule(view: ScheduleView): ScheduleDecision {
  const { times, now } = view;
  const handledUntil = view.service.schedule?.handledUntil ?? now;
  const ends = endedRuns(view);
  const first = times.next(handledUntil);
  if (first === undefined || first > now) return decision(ends, first);
  const due = Math.max(first, times.last(now) ?? first);
  return decision([...ends, ...dueRun(due, ends, view)], times.next(due));
}

function dueRun(due: number, ends: readonly ScheduleAction[], view: ScheduleView): readonly ScheduleAction[] {
  if (!view.schedule.catchUp && view.now - due > MISSED_AFTER) {
    return [{ kind: 'skip', due, reason: 'it was missed: no manager was there' }];
  }
  const start: ScheduleAction = { kind: 'start', cause: 'schedule', due, reason: 'it is due' };
  const clearing = makeWay(stillGoing(ends, view), view);
  return clearing.kind === 'blocked' ? [{ kind: 'skip', due, reason: clearing.reason }] : [...clearing.ends, start];
}

/** A run that somebody asks for, under the same rule. `blocked` says which run is in its way. */
export type RequestDecision =
  | { readonly kind: 'run'; readonly actions: readonly ScheduleAction[] }
  | { readonly kind: 'blocked'; readonly reason: string };

export function decideRequest(view: Omit<ScheduleView, 'times'>): RequestDecision {
  const ends = endedRuns(view);
  const clearing = makeWay(stillGoing(ends, view), view);
  if (clearing.kind === 'blocked') return clearing;
  const start: ScheduleAction = { kind: 'start', cause: 'request', due: view.now, reason: 'somebody asked for it' };
  return { kind: 'run', actions: [...ends, ...clearing.ends, start] };
}

type Going = StartedRun & { readonly stuck?: string };

type Clearing =
  | { readonly kind: 'clear'; readonly ends: readonly ScheduleAction[] }
  | { readonly kind: 'blocked'; readonly reason: string };

/** What must end before another run may begin. One that waits only for lost nodes is in nobody's way. */
function makeWay(going: readonly Going[], { schedule }: Pick<ScheduleView, 'schedule'>): Clearing {
  switch (schedule.concurrency) {
    case 'forbid': {
      const [blocking] = going.filter(({ stuck }) => stuck === undefined);
      if (blocking !== undefined) return { kind: 'blocked', reason: `${nameOfRun(blocking)} still goes on` };
      return { kind: 'clear', ends: going.map((run) => endOf(run, 'failed', run.stuck ?? '')) };
    }
    case 'replace':
      return { kind: 'clear', ends: going.map((run) => endOf(run, 'replaced', 'the next run began')) };
    case 'allow':
      if (going.length < MOST_RUNS) return { kind: 'clear', ends: [] };
      return { kind: 'blocked', reason: `${going.length} runs still go on` };
  }
}

function endedRuns(view: RunView): readonly ScheduleAction[] {
  return goingRuns(view.service).flatMap((run) => {
    const verdict = judgeRun(run.iteration, view);
    return verdict.kind === 'over' ? [endOf(run, verdict.outcome, verdict.reason)] : [];
  });
}

function stillGoing(ends: readonly ScheduleAction[], view: RunView): readonly Going[] {
  const over = new Set(ends.flatMap((action) => (action.kind === 'end' ? action.iteration : [])));
  return goingRuns(view.service)
    .filter(({ iteration }) => !over.has(iteration))
    .map((run) => {
      const verdict = judgeRun(run.iteration, view);
      return verdict.kind === 'going' && verdict.stuck !== undefined ? { ...run, stuck: verdict.stuck } : run;
    });
}

const endOf = ({ iteration }: StartedRun, outcome: RunEnd['outcome'], reason: string): ScheduleAction => ({
  kind: 'end',
  iteration,
  outcome,
  reason,
});

export const nameOfRun = ({ iteration, startedAt }: StartedRun): string =>
  `run ${iteration}, begun at ${new Date(startedAt).toISOString()},`;

const decision = (actions: readonly ScheduleAction[], wakeAt: number | undefined): ScheduleDecision => ({
  actions,
  ...(wakeAt === undefined ? {} : { wakeAt }),
});
