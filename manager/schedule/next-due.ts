import { cronTimes } from '../../proto/engine/cron.js';
import { scheduleOf } from '../../proto/engine/schedule-labels.js';
import type { ServiceObject } from '../store/objects.js';

/** When the next run of a scheduled job is due, ms since the epoch; undefined when it has no schedule, or none is left. */
export function nextDue({ spec, schedule: state }: Pick<ServiceObject, 'spec' | 'schedule'>): number | undefined {
  const schedule = scheduleOf(spec.Labels);
  if (schedule === undefined || state === undefined) return undefined;
  return cronTimes(schedule.pattern, schedule.timezone).next(state.handledUntil);
}
