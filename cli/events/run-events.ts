import type { Readable } from 'node:stream';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { AuditDocument } from '../../proto/engine/audit-document.js';
import type { Context } from '../context.js';
import type { EventFlags } from '../events.js';
import { filtersQuery, parseFilters } from '../flags/filter.js';
import { usageError } from '../flags/usage-error.js';
import { readSince } from '../logs/since.js';
import { auditText } from './audit-text.js';
import { checkEventFormat, eventText } from './event-text.js';

/** `bale events`. */
export async function runEvents(context: Context, flags: EventFlags): Promise<void> {
  const now = Date.now();
  const times = {
    since: flags.since === undefined ? undefined : readSince(flags.since, now),
    until: flags.until === undefined ? undefined : readSince(flags.until, now, 'until'),
  };
  const filters = parseFilters(flags.filter);
  if (flags.audit !== true && flags.format !== undefined) checkEventFormat(flags.format);
  const client = await context.connect();
  if (flags.audit === true) {
    const query = { ...times, ...auditFilters(filters), limit: flags.last };
    context.print(auditText(await client.get<readonly AuditDocument[]>('/bale/audit', query), flags.format));
    return;
  }
  const answer = await client.stream('/events', { ...times, filters: filtersQuery(filters) });
  for await (const line of linesOf(answer)) context.print(`${eventText(line, flags.format)}\n`);
}

const AUDIT_FILTERS = ['object', 'who'];

/** The audit takes one value of each of its filters. */
function auditFilters(filters: ReturnType<typeof parseFilters>): Readonly<Record<string, string>> {
  const entries = Object.entries(filters).map(([name, values]): [string, string] => {
    const [value = '', ...more] = Object.keys(values);
    if (!AUDIT_FILTERS.includes(name))
      throw usageError('-f, --filter', `${name}=${value}`, 'the audit knows object= and who=');
    if (more.length > 0) throw usageError('-f, --filter', `${name}=${more[0] ?? ''}`, `the audit takes one ${name}=`);
    return [name, value];
  });
  return Object.fromEntries(entries);
}

/** The answer's lines; that it broke off is said in our words. */
async function* linesOf(answer: Readable): AsyncGenerator<string> {
  let rest = '';
  answer.setEncoding('utf8');
  try {
    // A stream with an encoding yields nothing but text.
    for await (const chunk of answer as AsyncIterable<string>) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines.filter((line) => line !== '');
    }
  } catch (error) {
    throw new BaleError(`the connection to the daemon broke: ${errorMessage(error)}`, {
      kind: 'unavailable',
      code: 'BALE_DAEMON_UNREACHABLE',
      cause: error,
    });
  }
}
