/** Labels by which a job runs at times, and what their absence means. */
export const SCHEDULE = 'bale.schedule';
export const SCHEDULE_TIMEZONE = 'bale.schedule.timezone';
export const SCHEDULE_CONCURRENCY = 'bale.schedule.concurrency';
export const SCHEDULE_HISTORY = 'bale.schedule.history';
export const SCHEDULE_CATCH_UP = 'bale.schedule.catch-up';

const DEFAULT_HISTORY = 10;

export const CONCURRENCIES = ['forbid', 'replace', 'allow'] as const;

/** What becomes of a due time while an earlier run still goes on. */
export type Concurrency = (typeof CONCURRENCIES)[number];

export interface Schedule {
  /** A cron pattern of five or six fields, or a name like `@daily`. */
  readonly pattern: string;
  /** IANA name. */
  readonly timezone: string;
  readonly concurrency: Concurrency;
  /** How many runs are remembered. */
  readonly history: number;
  /** Whether a run that was missed is made up for. */
  readonly catchUp: boolean;
}

type Labels = Readonly<Record<string, string>>;

/** The schedule that the labels of a service give it; undefined when they give none. They were checked when it was written. */
export function scheduleOf(labels: Labels): Schedule | undefined {
  const pattern = own(labels, SCHEDULE);
  if (pattern === undefined) return undefined;
  const wanted = own(labels, SCHEDULE_CONCURRENCY);
  return {
    pattern,
    timezone: own(labels, SCHEDULE_TIMEZONE) ?? 'UTC',
    concurrency: CONCURRENCIES.find((one) => one === wanted) ?? 'forbid',
    history: Number(own(labels, SCHEDULE_HISTORY) ?? DEFAULT_HISTORY),
    catchUp: own(labels, SCHEDULE_CATCH_UP) !== 'false',
  };
}

const own = (labels: Labels, label: string): string | undefined =>
  Object.hasOwn(labels, label) ? labels[label] : undefined;
