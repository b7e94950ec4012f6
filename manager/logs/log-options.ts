import { BaleError } from '../../core/errors.js';

/** The query of `GET /services/{id}/logs`, as it was sent. */
export interface LogQuery {
  readonly follow: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly tail: string | undefined;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  /** `seconds[.nanoseconds]` since the epoch; undefined: no bound. */
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** Lines of each task. */
  readonly tail: number | 'all';
}

/** Throws BALE_LOGS_INVALID in the Engine's words. */
export function readLogOptions(query: LogQuery): LogOptions {
  if (!query.stdout && !query.stderr) throw invalid('Bad parameters: you must choose at least one stream');
  return {
    ...query,
    since: timeOf('since', query.since),
    until: timeOf('until', query.until),
    tail: tailOf(query.tail ?? ''),
  };
}

function tailOf(text: string): number | 'all' {
  if (text === '' || text === 'all') return 'all';
  if (/^-\d+$/.test(text)) throw invalid('negative tail values not supported');
  if (!/^\+?\d{1,15}$/.test(text)) throw invalid('tail value must be a positive integer or "all"');
  return Number(text);
}

/** The Engine's form of a time. 0 is none: before the first line of any log. */
function timeOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,12}(\.\d{1,9})?$/.test(text)) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw invalid(`could not parse ${name} timestamp: ${shown} is not of the form SECONDS[.NANOSECONDS]`);
  }
  return Number(text) === 0 ? undefined : text;
}

const invalid = (words: string): BaleError => new BaleError(words, { kind: 'invalid', code: 'BALE_LOGS_INVALID' });

/** The first moment after a line's timestamp, in the form of `since`. */
export function justAfter(timestamp: string): string {
  const seconds = Date.parse(`${timestamp.slice(0, 19)}Z`) / 1000;
  const nanoseconds = Number(timestamp.slice(20, 29)) + 1;
  const [whole, rest] = nanoseconds === 1e9 ? [seconds + 1, 0] : [seconds, nanoseconds];
  return `${whole}.${String(rest).padStart(9, '0')}`;
}
