import { errorMessage } from '../../core/errors.js';
import { cronTimes, isTimeZone } from './cron.js';
import {
  CONCURRENCIES,
  SCHEDULE,
  SCHEDULE_CATCH_UP,
  SCHEDULE_CONCURRENCY,
  SCHEDULE_HISTORY,
  SCHEDULE_TIMEZONE,
  scheduleOf,
} from './schedule-labels.js';
import { isJob } from './service-mode.js';
import type { ServiceSpec } from './service-spec.js';
import { specError } from './spec-error.js';

const LONGEST_PATTERN = 200;

/** A pattern without a due time after this one has none at all. */
const SOME_TIME = Date.UTC(2026, 0, 1);

/** Checks of the labels of a schedule, by label. Each throws BALE_SPEC_INVALID (400). */
export const SCHEDULE_RULES: Readonly<Record<string, (spec: ServiceSpec) => void>> = {
  [SCHEDULE]: checkPattern,
  [SCHEDULE_TIMEZONE]: (spec) => {
    checkScheduled(spec, SCHEDULE_TIMEZONE);
    const zone = spec.Labels[SCHEDULE_TIMEZONE] ?? '';
    if (isTimeZone(zone)) return;
    throw wrong(SCHEDULE_TIMEZONE, zone, 'must be the name of a time zone, for example Europe/Berlin');
  },
  [SCHEDULE_CONCURRENCY]: (spec) => {
    checkChoice(spec, SCHEDULE_CONCURRENCY, CONCURRENCIES);
  },
  [SCHEDULE_HISTORY]: (spec) => {
    checkScheduled(spec, SCHEDULE_HISTORY);
    const value = spec.Labels[SCHEDULE_HISTORY] ?? '';
    if (/^[1-9][0-9]?$|^100$/.test(value)) return;
    throw wrong(SCHEDULE_HISTORY, value, 'must be a whole number from 1 to 100, for example 10');
  },
  [SCHEDULE_CATCH_UP]: (spec) => {
    checkChoice(spec, SCHEDULE_CATCH_UP, ['true', 'false']);
  },
};

function checkPattern(spec: ServiceSpec): void {
  checkJob(spec, SCHEDULE);
  const value = spec.Labels[SCHEDULE] ?? '';
  const rule =
    'must be a cron pattern of five fields, or six with seconds first, for example "*/5 * * * *" or "@daily"';
  if (value.length > LONGEST_PATTERN) throw wrong(SCHEDULE, `${value.slice(0, LONGEST_PATTERN)}…`, rule);
  // A zone that is none is the fault of its own label.
  const zone = scheduleOf(spec.Labels)?.timezone ?? 'UTC';
  let due: number | undefined;
  try {
    due = cronTimes(value, isTimeZone(zone) ? zone : 'UTC').next(SOME_TIME);
  } catch (error) {
    throw wrong(SCHEDULE, value, rule, errorMessage(error));
  }
  if (due === undefined) throw wrong(SCHEDULE, value, rule, 'this one never comes due');
}

function checkChoice(spec: ServiceSpec, label: string, choices: readonly string[]): void {
  checkScheduled(spec, label);
  const value = spec.Labels[label] ?? '';
  if (!choices.includes(value)) throw wrong(label, value, `must be one of ${choices.join(', ')}`);
}

function checkScheduled(spec: ServiceSpec, label: string): void {
  checkJob(spec, label);
  if (Object.hasOwn(spec.Labels, SCHEDULE)) return;
  throw specError(`label "${label}" says how a schedule is kept, and the service has no label "${SCHEDULE}"`);
}

function checkJob({ Mode }: ServiceSpec, label: string): void {
  if (isJob(Mode)) return;
  throw specError(`label "${label}" is for jobs: the mode of the service must be replicated-job or global-job`);
}

const wrong = (label: string, value: string, rule: string, cause?: string): Error =>
  specError(`label "${label}" ${rule}, got ${JSON.stringify(value)}${cause === undefined ? '' : `: ${cause}`}`);
