import type { Filters } from '../manager/api/swarm-api.js';
import { CLUSTER_EVENT_TYPES, type ClusterEvent } from '../manager/events/cluster-event.js';

const CLUSTER_TYPES: ReadonlySet<string> = new Set(CLUSTER_EVENT_TYPES);
const CLUSTER_SCOPE = 'swarm';

/** Filters that ask for an object by id or name. The Engine tries each on every event, whatever its type. */
const OBJECT_FILTERS = [
  ...['config', 'container', 'daemon', 'image', 'network', 'node', 'plugin', 'secret', 'service', 'task', 'volume'],
] as const;

/** Whose events a client wants. */
export interface EventSides {
  readonly cluster: boolean;
  readonly engine: boolean;
}

/** Which of the two need not be asked at all. */
export function sidesOf(filters: Filters): EventSides {
  const [types, scopes] = [values(filters, 'type'), values(filters, 'scope')];
  return {
    cluster: admits(types, (type) => CLUSTER_TYPES.has(type)) && admits(scopes, (scope) => scope === CLUSTER_SCOPE),
    engine:
      admits(types, (type) => !CLUSTER_TYPES.has(type)) &&
      admits(scopes, (scope) => scope !== CLUSTER_SCOPE) &&
      // The Engine has no tasks, does not know the filter and would ignore it.
      values(filters, 'task').length === 0,
  };
}

/**
 * Whether a client wants an event, by the Engine's rules (moby `daemon/events/filter.go`): values of one
 * filter are alternatives, ids and names match by their beginning, filters that nobody knows are ignored.
 * bale's own: `service` and `node` find tasks too, and `label` sees the labels of the object.
 */
export function admitsEvent(filters: Filters, event: ClusterEvent): boolean {
  return (
    admits(values(filters, 'type'), (type) => type === event.type) &&
    admits(values(filters, 'event'), (action) => action === event.action) &&
    OBJECT_FILTERS.every((name) => admits(values(filters, name), (value) => isAbout(event, name, value))) &&
    values(filters, 'label').every((label) => hasLabel(event, label))
  );
}

function isAbout({ id, type, attributes }: ClusterEvent, filter: string, value: string): boolean {
  // Of images the Engine takes a whole id or name alone; there are none here.
  if (filter === 'image') return id === value;
  const own = [id, attributes.name];
  const related = type === 'task' && (filter === 'service' || filter === 'node');
  const names = related ? [...own, attributes[`${filter}.id`], attributes[`${filter}.name`]] : own;
  return names.some((name) => name?.startsWith(value));
}

function hasLabel({ attributes, labels }: ClusterEvent, label: string): boolean {
  const equals = label.indexOf('=');
  const key = equals < 0 ? label : label.slice(0, equals);
  return [attributes, labels].some(
    (known) => Object.hasOwn(known, key) && (equals < 0 || known[key] === label.slice(equals + 1)),
  );
}

const values = (filters: Filters, name: string): readonly string[] =>
  Object.hasOwn(filters, name) ? (filters[name] ?? []) : [];

const admits = (wanted: readonly string[], matches: (value: string) => boolean): boolean =>
  wanted.length === 0 || wanted.some(matches);
