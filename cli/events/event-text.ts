import { checkTemplate, renderTemplate } from '../view/template.js';

/** An event of `GET /events`; some of the Engine's have the fields of older APIs too. */
interface EventDocument {
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  readonly scope?: string;
  readonly time: number;
}

/** One line of the stream as docker's CLI prints it, or by a template. Times are of this machine's zone. */
export function eventText(line: string, format: string | undefined): string {
  // A number of nanoseconds is more than JavaScript holds: what can be is printed as it came.
  if (format === 'json' || format === '{{json .}}') return line;
  const event = JSON.parse(line) as EventDocument; // as the Engine API defines it
  const nanoseconds = /"timeNano":(\d+)/.exec(line)?.[1] ?? `${event.time}000000000`;
  if (format !== undefined) return renderTemplate(format, templateData(event, nanoseconds));
  const attributes = Object.entries(event.Actor.Attributes ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  const shown = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${localTime(nanoseconds)} ${event.Type} ${event.Action} ${event.Actor.ID}${shown}`;
}

/** Throws BALE_TEMPLATE_INVALID before an event has come. */
export function checkEventFormat(format: string): void {
  if (format === 'json') return;
  const none = templateData({ Type: '', Action: '', Actor: { ID: '' }, time: 0 }, '0');
  checkTemplate(format, Object.keys(none));
}

/** Under the names of docker's type. */
const templateData = (event: EventDocument, nanoseconds: string): object => ({
  Status: event.status ?? '',
  ID: event.id ?? '',
  From: event.from ?? '',
  Type: event.Type,
  Action: event.Action,
  Actor: event.Actor,
  Scope: event.scope ?? '',
  Time: event.time,
  TimeNano: nanoseconds,
});

/** RFC 3339 with all nine digits and the offset of this machine. */
function localTime(nanoseconds: string): string {
  const seconds = nanoseconds.slice(0, -9);
  const date = new Date(Number(seconds) * 1_000);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${local}.${nanoseconds.slice(-9)}${zone(offset)}`;
}

function zone(minutes: number): string {
  if (minutes === 0) return 'Z';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}
