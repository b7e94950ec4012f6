import { usageError } from './usage-error.js';

/** `--filter name=web --filter label=a=b` as the API takes it: a map of maps. */
export function parseFilters(texts: readonly string[]): Record<string, Record<string, boolean>> {
  const filters: Record<string, Record<string, boolean>> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at <= 0) throw usageError('-f, --filter', text, 'write a filter as name=value');
    const name = text.slice(0, at).trim().toLowerCase();
    filters[name] = { ...filters[name], [text.slice(at + 1).trim()]: true };
  }
  return filters;
}

/** The `filters` query, or undefined when there are none. */
export const filtersQuery = (filters: Record<string, Record<string, boolean>>): string | undefined =>
  Object.keys(filters).length === 0 ? undefined : JSON.stringify(filters);

/** Collects the values of a flag that may be given several times. */
export const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];
