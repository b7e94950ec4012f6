import { dependsOf } from '../../proto/engine/depends-label.js';
import { scheduleOf } from '../../proto/engine/schedule-labels.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import { isJob } from '../../proto/engine/service-mode.js';
import type { JobRun, ScheduledRun, ScheduleState, ServiceObject } from '../store/objects.js';
import type { ScheduleAction } from './decide-schedule.js';
import { nextRun } from './open-runs.js';

/** What of a service row tells of its runs, and of what they wait for. */
export type RunFields = Pick<ServiceObject, 'job' | 'schedule' | 'awaiting'>;

/** Of a service that is created: a job runs at once, unless a schedule says when. */
export function firstRun(spec: ServiceSpec, now: number): RunFields {
  if (!isJob(spec.Mode)) return waitingFor(spec);
  if (scheduleOf(spec.Labels) === undefined) return { job: { iteration: 0, startedAt: now }, ...waitingFor(spec) };
  return { job: { iteration: 0 }, schedule: { handledUntil: now, runs: [] } };
}

/**
 * Of a service that gets another spec. A job without a schedule runs anew. One that has a schedule,
 * or had one until now, does not: what is due at its times must not run at others.
 */
export function runsAfterChange(service: ServiceObject, spec: ServiceSpec, now: number): RunFields {
  const { job, schedule } = service;
  const wanted = scheduleOf(spec.Labels);
  if (job !== undefined && wanted === undefined && schedule === undefined) {
    return { job: nextRun(job, now), ...waitingFor(spec) };
  }
  const waits = service.awaiting === undefined ? {} : waitingFor(spec);
  if (job === undefined) return waits;
  return { job, ...waits, ...(wanted === undefined ? {} : { schedule: stateAfterChange(service, spec, now) }) };
}

/** Due times of another pattern count from now on; what was due before was not theirs. */
function stateAfterChange(
  { spec: before, job, schedule }: ServiceObject,
  spec: ServiceSpec,
  now: number,
): ScheduleState {
  const [was, wanted] = [scheduleOf(before.Labels), scheduleOf(spec.Labels)];
  const same = was?.pattern === wanted?.pattern && was?.timezone === wanted?.timezone;
  if (schedule !== undefined) return { handledUntil: same ? schedule.handledUntil : now, runs: schedule.runs };
  return { handledUntil: now, runs: job === undefined ? [] : unscheduledRun(job) };
}

/** The run that goes on, or was the last, when a job gets a schedule. */
const unscheduledRun = ({ iteration, startedAt }: JobRun): readonly ScheduledRun[] =>
  startedAt === undefined ? [] : [{ kind: 'started', cause: 'request', due: startedAt, iteration, startedAt }];

/** The row of a service once these actions were taken. */
export function applySchedule(service: ServiceObject, actions: readonly ScheduleAction[], now: number): ServiceObject {
  return actions.reduce((row, action) => applyOne(row, action, now), service);
}

function applyOne(service: ServiceObject, action: ScheduleAction, now: number): ServiceObject {
  const { job = { iteration: 0 }, schedule } = service;
  switch (action.kind) {
    case 'end': {
      const end = { at: now, outcome: action.outcome, reason: action.reason };
      return withRuns(service, {}, (runs) =>
        runs.map((run) => (run.kind === 'started' && run.iteration === action.iteration ? { ...run, end } : run)),
      );
    }
    case 'start': {
      const { cause, due } = action;
      const begun = nextRun(job, now);
      const run: ScheduledRun = { kind: 'started', cause, due, iteration: begun.iteration, startedAt: now };
      const row = { ...withoutWait(service), job: begun, ...waitingFor(service.spec) };
      return withRuns(row, cause === 'schedule' ? { handledUntil: due } : {}, (runs) => [run, ...runs]);
    }
    case 'skip':
      return schedule === undefined
        ? service
        : withRuns(service, { handledUntil: action.due }, (runs) => withSkip(runs, action.due, action.reason));
  }
}

/** Skips in a row for one reason are one entry: a run of a day must not push all others out. */
function withSkip(runs: readonly ScheduledRun[], due: number, reason: string): readonly ScheduledRun[] {
  const [newest, ...older] = runs;
  if (newest?.kind === 'skipped' && newest.reason === reason) {
    return [{ ...newest, last: due, times: newest.times + 1 }, ...older];
  }
  return [{ kind: 'skipped', due, last: due, times: 1, reason }, ...runs];
}

/** A job without a schedule has no list of runs. */
function withRuns(
  service: ServiceObject,
  over: Partial<Pick<ScheduleState, 'handledUntil'>>,
  change: (runs: readonly ScheduledRun[]) => readonly ScheduledRun[],
): ServiceObject {
  const { schedule } = service;
  if (schedule === undefined) return service;
  const most = scheduleOf(service.spec.Labels)?.history ?? 0;
  const runs = change(schedule.runs).filter(
    (run, place) => place < most || (run.kind === 'started' && run.end === undefined),
  );
  return { ...service, schedule: { ...schedule, ...over, runs } };
}

function withoutWait(service: ServiceObject): ServiceObject {
  const { awaiting, ...rest } = service;
  return awaiting === undefined ? service : rest;
}

/** Who depends on others waits until they were looked at. */
function waitingFor({ Labels }: ServiceSpec): Pick<ServiceObject, 'awaiting'> {
  const names = dependsOf(Labels);
  return names.length === 0 ? {} : { awaiting: { reason: `waits for ${names.join(', ')}` } };
}
