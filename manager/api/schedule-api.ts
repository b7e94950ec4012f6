import { timestamp } from '../../core/clock.js';
import { BaleError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { SCHEDULE, scheduleOf, type Schedule } from '../../proto/engine/schedule-labels.js';
import type { RunDocument, ScheduleDocument, ScheduledRunDocument } from '../../proto/engine/service-document.js';
import { decideRequest, type RequestDecision } from '../schedule/decide-schedule.js';
import { judgeRun, type RunView } from '../schedule/judge-run.js';
import { nextDue } from '../schedule/next-due.js';
import { applySchedule } from '../schedule/schedule-state.js';
import type { JobRun, ScheduledRun, ServiceObject } from '../store/objects.js';
import type { Store, Transaction } from '../store/store-types.js';
import { failedPrecondition } from './api-errors.js';
import { findService } from './lookup.js';

/** `GET /bale/services/{id}/schedule`. Throws BALE_SCHEDULE_MISSING. */
export function showSchedule(store: Store, id: string): ScheduleDocument {
  const service = findService(store.view, id);
  const schedule = scheduleOf(service.spec.Labels);
  if (schedule === undefined || service.schedule === undefined) {
    const words = `service ${service.spec.Name} has no schedule; the label "${SCHEDULE}" of a job sets one`;
    throw failedPrecondition(words, 'BALE_SCHEDULE_MISSING');
  }
  const next = nextDue(service);
  const { pattern, timezone, concurrency } = schedule;
  return {
    pattern,
    timezone,
    concurrency,
    ...(next === undefined ? {} : { nextRun: timestamp(next) }),
    runs: service.schedule.runs.map(runDocument),
  };
}

function runDocument(run: ScheduledRun): ScheduledRunDocument {
  const due = timestamp(run.due);
  switch (run.kind) {
    case 'skipped': {
      const skipped = { times: run.times, last: timestamp(run.last) };
      return { due, cause: 'schedule', result: 'skipped', reason: run.reason, skipped };
    }
    case 'started': {
      const { cause, iteration, end } = run;
      const begun = { due, cause, iteration, startedAt: timestamp(run.startedAt) };
      if (end === undefined) return { ...begun, result: 'running' };
      return { ...begun, result: end.outcome, reason: end.reason, finishedAt: timestamp(end.at) };
    }
  }
}

/** What holds for a job without a schedule: one run at a time. */
const UNSCHEDULED: Schedule = { pattern: '', timezone: 'UTC', concurrency: 'forbid', history: 0, catchUp: true };

/**
 * `POST /bale/services/{id}/run`: begins a run of a job now, by the concurrency rule of its schedule.
 * Throws BALE_RUN_MODE, or BALE_RUN_GOING_ON when the rule forbids it.
 */
export async function runJob(store: Store, logger: Logger, id: string): Promise<RunDocument> {
  const { serviceId, job } = await store.update((tx) => {
    const service = findService(tx, id);
    if (service.job === undefined) {
      throw failedPrecondition(`service ${service.spec.Name} is no job: only jobs are run`, 'BALE_RUN_MODE');
    }
    const decided = decideRun(tx, service, service.job);
    if (decided.kind === 'blocked') throw goingOn(service, decided.reason);
    const row = applySchedule(service, decided.actions, tx.now);
    tx.put('service', row);
    return { serviceId: service.id, job: row.job ?? service.job };
  });
  logger.info({ service: serviceId, iteration: job.iteration }, 'run of a job begins: somebody asked for it');
  return { JobIteration: { Index: job.iteration } };
}

function decideRun(tx: Transaction, service: ServiceObject, job: JobRun): RequestDecision {
  const view: RunView = {
    service,
    tasks: tx.tasksByService(service.id),
    nodeOf: (id) => tx.get('node', id),
    nodes: tx.all('node'),
  };
  if (service.schedule === undefined && job.startedAt !== undefined && judgeRun(job.iteration, view).kind === 'going') {
    return { kind: 'blocked', reason: `run ${job.iteration}, begun at ${timestamp(job.startedAt)}, still goes on` };
  }
  return decideRequest({ ...view, schedule: scheduleOf(service.spec.Labels) ?? UNSCHEDULED, now: tx.now });
}

function goingOn({ spec, schedule }: ServiceObject, reason: string): BaleError {
  const help =
    schedule === undefined
      ? '`service update --force` ends it and begins another'
      : 'wait for its end, or set the label "bale.schedule.concurrency" to replace or allow';
  return new BaleError(`job ${spec.Name}: ${reason}; ${help}`, { kind: 'conflict', code: 'BALE_RUN_GOING_ON' });
}
