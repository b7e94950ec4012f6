import { BaleError } from '../core/errors.js';
import type { Filters } from '../manager/api/swarm-api.js';

/** A parsed query string: the first of several values counts, as in the Engine. */
export class Query {
  readonly #values: URLSearchParams;

  constructor(text: string) {
    this.#values = new URLSearchParams(text);
  }

  text(name: string): string | undefined {
    return this.#values.get(name) ?? undefined;
  }

  /** The Engine's rule: false are "", 0, no, false, none in any case; all else is true. */
  flag(name: string, fallback = false): boolean {
    const value = this.text(name);
    return value === undefined ? fallback : !FALSE.has(value.trim().toLowerCase());
  }

  /**
   * As Go's strconv.ParseBool reads it; absent or empty is false. Throws BALE_QUERY_INVALID in the
   * Engine's words, which say why for some of its routes.
   */
  bool(name: string, words: 'short' | 'with cause'): boolean {
    const value = (this.text(name) ?? '').slice(0, SHOWN);
    if (value === '' || NO.has(value)) return false;
    if (YES.has(value)) return true;
    const cause = words === 'short' ? '' : `: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`;
    throw new BaleError(`invalid value for ${name}: ${value}${cause}`, { kind: 'invalid', code: 'BALE_QUERY_INVALID' });
  }

  filters(): Filters {
    return decodeFilters(this.text('filters'));
  }
}

const FALSE: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none']);

const YES: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const NO: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/**
 * Decodes `filters` from either of its two forms: `{"name":{"web":true}}` or `{"name":["web"]}`.
 * Throws BALE_FILTER_INVALID.
 */
export function decodeFilters(text: string | undefined): Filters {
  if (text === undefined || text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(text, error);
  }
  if (parsed === null) return {};
  if (!isObject(parsed)) throw invalid(text);
  const filters = Object.entries(parsed).map(([name, values]): [string, readonly string[]] => {
    if (isObject(values)) return [name, Object.keys(values)];
    if (Array.isArray(values) && values.every(isText)) return [name, values];
    throw invalid(text);
  });
  return Object.fromEntries(filters);
}

const isText = (value: unknown): value is string => typeof value === 'string';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const SHOWN = 80;

function invalid(text: string, cause?: unknown): BaleError {
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return new BaleError(`invalid filters: ${shown} is not of the form {"NAME":["VALUE"]} or {"NAME":{"VALUE":true}}`, {
    kind: 'invalid',
    code: 'BALE_FILTER_INVALID',
    cause,
  });
}
