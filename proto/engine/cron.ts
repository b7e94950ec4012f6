import { Cron } from 'croner';

/** The due times of a cron pattern in a time zone. */
export interface CronTimes {
  /** The first due time later than `after`, ms since the epoch; undefined when there is none. */
  next(after: number): number | undefined;
  /** The last due time that is not later than `now`, ms since the epoch; undefined when there is none. */
  last(now: number): number | undefined;
}

/** Patterns read so far. A pattern that comes due rarely takes tens of milliseconds to search. */
const KNOWN = new Map<string, CronTimes>();
const MOST_KNOWN = 1_000;

/**
 * Reads a pattern of five fields (minute, hour, day of month, month, day of week), of six (seconds
 * first), or a name like `@daily`, in an IANA time zone. In a change to summer time a fixed time that
 * does not exist is due when the gap ends; one that comes twice is due once.
 *
 * Throws an Error whose message says what is wrong with the pattern or the zone.
 */
export function cronTimes(pattern: string, zone: string): CronTimes {
  const key = `${zone} ${pattern}`;
  const known = KNOWN.get(key);
  if (known !== undefined) return known;
  const times = read(pattern, zone);
  if (KNOWN.size >= MOST_KNOWN) KNOWN.clear();
  KNOWN.set(key, times);
  return times;
}

/** Whether `zone` names a time zone, e.g. `Europe/Berlin`. */
export function isTimeZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function read(pattern: string, zone: string): CronTimes {
  // The library would take a date for a pattern that comes due once.
  if (pattern.includes(':')) throw new Error('a date is no pattern');
  if (!isTimeZone(zone)) throw new Error(`${JSON.stringify(zone)} is no time zone`);
  const cron = parse(pattern, zone);
  let asked: { readonly after: number; readonly next: number | undefined } | undefined;
  return {
    next: (after) => {
      // Lists of services ask for the same answer again and again.
      if (asked?.after !== after) asked = { after, next: cron.nextRun(new Date(after))?.getTime() };
      return asked.next;
    },
    last: (now) => cron.previousRuns(1, new Date(now + 1))[0]?.getTime(),
  };
}

function parse(pattern: string, zone: string): Cron {
  try {
    return new Cron(pattern, { timezone: zone, paused: true, mode: '5-or-6-parts' });
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(words.replace(/^Cron[A-Za-z]*: /, ''), { cause: error });
  }
}
