import type { ScheduleDocument, ScheduledRunDocument } from '../../proto/engine/service-document.js';
import type { Context } from '../context.js';
import { renderList, type Column } from './list.js';
import { ago, span, until } from './relative-time.js';

/** `service schedule`: when a job runs, then its runs, the newest first. */
export async function printSchedule(
  context: Context,
  name: string,
  flags: { readonly format?: string },
): Promise<void> {
  const client = await context.connect();
  const schedule = await client.get<ScheduleDocument>(`/bale/services/${encodeURIComponent(name)}/schedule`);
  const now = Date.now();
  if (flags.format === undefined) context.print(scheduleLine(schedule, now));
  context.print(renderList(columns(now), schedule.runs, { format: flags.format }));
}

/** Pure, as all below. */
export function scheduleLine({ pattern, timezone, concurrency, nextRun }: ScheduleDocument, now: number): string {
  const next = nextRun === undefined ? 'never due again' : `next run ${nextRun} (${until(nextRun, now)})`;
  return `${pattern} ${timezone}, concurrency ${concurrency}: ${next}\n`;
}

export const columns = (now: number): readonly Column<ScheduledRunDocument>[] => [
  { field: 'Due', heading: 'DUE', value: ({ due }) => due },
  { field: 'Run', heading: 'RUN', value: ({ iteration }) => (iteration === undefined ? '-' : String(iteration)) },
  {
    field: 'Started',
    heading: 'STARTED',
    value: ({ startedAt }) => (startedAt === undefined ? '-' : ago(startedAt, now)),
  },
  { field: 'Took', heading: 'TOOK', value: (run) => took(run, now) },
  { field: 'Result', heading: 'RESULT', value: resultText },
];

function took({ startedAt, finishedAt }: ScheduledRunDocument, now: number): string {
  if (startedAt === undefined) return '-';
  return span(Math.max(0, (finishedAt === undefined ? now : Date.parse(finishedAt)) - Date.parse(startedAt)));
}

function resultText({ result, reason, cause, skipped }: ScheduledRunDocument): string {
  const asked = cause === 'request' ? ' (asked for)' : '';
  const times = skipped === undefined || skipped.times === 1 ? '' : ` (${skipped.times} times, last ${skipped.last})`;
  const why = reason === undefined ? '' : `: ${reason.replaceAll('\n', ' ')}`;
  return `${result}${asked}${times}${why}`;
}
