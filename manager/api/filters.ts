import { invalidFilter } from './api-errors.js';
import type { Filters } from './swarm-api.js';

/** Throws BALE_FILTER_INVALID for the first filter that this verb does not know. */
export function acceptFilters(filters: Filters, known: readonly string[]): void {
  const unknown = Object.keys(filters).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalidFilter(`Invalid filter '${unknown}'`);
}

/** Whether a row may be left out: without values nothing is. */
export const isFiltering = (filters: Filters): boolean => Object.values(filters).some((values) => values.length > 0);

/** The values of one filter. None at all means that it does not filter. */
export const valuesOf = (filters: Filters, name: string): readonly string[] =>
  Object.hasOwn(filters, name) ? (filters[name] ?? []) : [];

/** True when there is nothing to match, or `value` begins with one of `prefixes`. */
export const hasPrefix = (value: string, prefixes: readonly string[]): boolean =>
  prefixes.length === 0 || prefixes.some((prefix) => value.startsWith(prefix));

/** True when there is nothing to match, or `value` is one of `wanted`. */
export const isOneOf = (value: string, wanted: readonly string[]): boolean =>
  wanted.length === 0 || wanted.includes(value);

/** True when each of `wanted` (`key`, or `key=value`) is among `labels`; an empty value asks for the key alone. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((label) => {
    const equals = label.indexOf('=');
    const key = equals < 0 ? label : label.slice(0, equals);
    const value = equals < 0 ? '' : label.slice(equals + 1);
    return Object.hasOwn(labels, key) && (value === '' || labels[key] === value);
  });
}
