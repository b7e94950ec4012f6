import type { View } from '../store/store-types.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';
import { ambiguous, notFound } from './api-errors.js';
import { taskName } from './task-document.js';

type Reads = Pick<View, 'get' | 'all' | 'serviceByName' | 'nodesByHostname'>;

/**
 * What `{id}` of a path means: a full id, else an exact name, else the beginning of one id only.
 * Throws BALE_NOT_FOUND (404) or BALE_AMBIGUOUS (400).
 */
export function lookUp<Row extends { readonly id: string }>(
  noun: string,
  wanted: string,
  rows: { readonly byId: Row | undefined; byName(): readonly Row[]; all(): readonly Row[] },
): Row {
  if (rows.byId !== undefined) return rows.byId;
  const named = rows.byName();
  const matches = named.length > 0 || wanted === '' ? named : rows.all().filter((row) => row.id.startsWith(wanted));
  const [match] = matches;
  if (match === undefined) throw notFound(noun, wanted);
  if (matches.length > 1) throw ambiguous(noun, wanted, matches.length);
  return match;
}

export const findService = (view: Reads, wanted: string): ServiceObject =>
  lookUp('service', wanted, {
    byId: view.get('service', wanted),
    byName() {
      const service = view.serviceByName(wanted);
      return service === undefined ? [] : [service];
    },
    all: () => view.all('service'),
  });

export const findNode = (view: Reads, wanted: string): NodeObject =>
  lookUp('node', wanted, {
    byId: view.get('node', wanted),
    byName: () => view.nodesByHostname(wanted),
    all: () => view.all('node'),
  });

export const findTask = (view: Reads, wanted: string): TaskObject =>
  lookUp('task', wanted, {
    byId: view.get('task', wanted),
    byName: () => view.all('task').filter((task) => taskName(task) === wanted),
    all: () => view.all('task'),
  });
