import type { ClusterEvent } from '../manager/events/cluster-event.js';
import { nanosecondsOf } from './event-time.js';

/** Five hundred may watch: each event is written out once. */
const LINES = new WeakMap<ClusterEvent, string>();

/** An event as the Engine writes its own: JSON in its order of fields, and a line end. */
export function eventLine(event: ClusterEvent): string {
  const known = LINES.get(event);
  if (known !== undefined) return known;
  const { type, action, id, attributes, time } = event;
  const sorted = Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
  const line = withTimes(
    { Type: type, Action: action, Actor: { ID: id, Attributes: sorted }, scope: 'swarm' },
    time,
    nanosecondsOf(event),
  );
  LINES.set(event, line);
  return line;
}

/** The last line of a watcher that is cut off: clients show it as any other event. */
export const lastLine = (error: string, now: number): string =>
  withTimes(
    { Type: 'daemon', Action: 'overrun', Actor: { ID: 'bale', Attributes: { error, name: 'bale' } }, scope: 'local' },
    now,
    `${now}000000`,
  );

/** The nanoseconds are more than a JavaScript number holds, so they go in as text. */
const withTimes = (document: object, time: number, nanoseconds: string): string =>
  `${JSON.stringify(document).slice(0, -1)},"time":${Math.floor(time / 1_000)},"timeNano":${nanoseconds}}\n`;

/** When an event of the Engine happened, ms since the epoch; undefined for a line that is no event. */
export function momentOfLine(line: string): number | undefined {
  const nanoseconds = /"timeNano":(\d+)/.exec(line)?.[1];
  return nanoseconds === undefined ? undefined : Number(nanoseconds) / 1e6;
}
