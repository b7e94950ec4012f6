import { BaleError } from '../core/errors.js';
import type { ClusterEvent } from '../manager/events/cluster-event.js';

/** The stretch of time that a client asks for; ms since the epoch, with fractions. */
export interface EventTimes {
  readonly since?: number;
  readonly until?: number;
}

/** Reads `since` and `until`, each `SECONDS[.NANOSECONDS]` since the epoch. Throws BALE_EVENTS_INVALID. */
export function readEventTimes(since: string | undefined, until: string | undefined): EventTimes {
  const [from, to] = [timeOf('since', since), timeOf('until', until)];
  if (from !== undefined && to !== undefined && to < from) {
    throw invalid(`\`since\` time (${since ?? ''}) cannot be after \`until\` time (${until ?? ''})`);
  }
  return { ...(from === undefined ? {} : { since: from }), ...(to === undefined ? {} : { until: to }) };
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const match = /^(?<seconds>-?\d{1,12})(?:\.(?<fraction>\d{1,9}))?$/.exec(text);
  if (match === null) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw invalid(`${name}: ${shown} is not a time of the form SECONDS[.NANOSECONDS] since 1970`);
  }
  const { seconds = '0', fraction = '' } = match.groups ?? {};
  return Number(seconds) * 1_000 + Number(fraction.padEnd(9, '0')) / 1e6;
}

const invalid = (words: string): BaleError => new BaleError(words, { kind: 'invalid', code: 'BALE_EVENTS_INVALID' });

/** Nanoseconds below the millisecond, of which there is no clock: they keep events of one in order. */
const below = ({ number }: ClusterEvent): number => number % 1_000_000;

/** In ms since the epoch, with fractions. */
export const momentOf = (event: ClusterEvent): number => event.time + below(event) / 1e6;

/** The whole number of nanoseconds since the epoch, which no JavaScript number can hold. */
export const nanosecondsOf = (event: ClusterEvent): string => `${event.time}${String(below(event)).padStart(6, '0')}`;

export const isWithin = (moment: number, { since, until }: EventTimes): boolean =>
  (since === undefined || moment >= since) && (until === undefined || moment <= until);
