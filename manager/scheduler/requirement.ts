import { type NodeAttribute, parseSpread } from '../../proto/engine/node-attribute.js';
import { parseConstraint } from '../../proto/engine/placement-constraint.js';
import type { PortConfig } from '../../proto/engine/service-spec.js';
import type { Placement, Platform, ResourceList, TaskSpec } from '../../proto/engine/task-spec.js';
import type { NodeObject, TaskObject } from '../store/objects.js';
import { BoundedMap } from './bounded-map.js';
import { type GenericNeed, genericNeeds } from './generic-resources.js';
import { compileConstraint } from './constraint-match.js';

/** CPU in billionths of one, memory in bytes. */
export interface Resources {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
}

/** A constraint as it is asked of nodes. */
export interface Condition {
  /** As the user wrote it. */
  readonly text: string;
  /** Nothing else of a node decides. */
  readonly attribute: NodeAttribute;
  readonly holds: (node: NodeObject) => boolean;
}

/** What a task asks of its node. */
export interface Requirement {
  readonly reserved: Resources;
  /** Host-mode ports as `80/tcp`. */
  readonly hostPorts: readonly string[];
  /** Any of these will do; empty = every platform. */
  readonly platforms: readonly Platform[];
  /** All of them must hold. */
  readonly conditions: readonly Condition[];
  /** What the tasks of the service are spread over, the widest first. */
  readonly spreads: readonly NodeAttribute[];
  /** The same for two requirements exactly when constraints, platforms and spreads are. */
  readonly placementKey: string;
  /** Of the node's generic resources. */
  readonly generics: readonly GenericNeed[];
  /** The most tasks of its service on one node; 0 = any number. */
  readonly maxReplicas: number;
}

export function requirementOf({ spec, hostPorts }: Pick<TaskObject, 'spec' | 'hostPorts'>): Requirement {
  const reservations = spec.Resources?.Reservations;
  const { platforms, conditions, spreads, placementKey } = siteOf(spec);
  return {
    reserved: resourcesOf(reservations),
    hostPorts: hostPortKeys(hostPorts),
    platforms,
    conditions,
    spreads,
    placementKey,
    generics: genericNeeds(reservations?.GenericResources),
    maxReplicas: spec.Placement?.MaxReplicas ?? 0,
  };
}

export const resourcesOf = (list: ResourceList | undefined): Resources => ({
  nanoCpus: list?.NanoCPUs ?? 0,
  memoryBytes: list?.MemoryBytes ?? 0,
});

/** A host port without a number is chosen by the Engine, so it conflicts with nothing. */
export const hostPortKeys = (ports: readonly PortConfig[]): readonly string[] =>
  ports.length === 0 ? NO_PORTS : ports.flatMap(hostPortKey);

const NO_PORTS: readonly string[] = [];

const hostPortKey = ({ PublishedPort = 0, Protocol = 'tcp' }: PortConfig): readonly string[] =>
  PublishedPort === 0 ? [] : [`${PublishedPort}/${Protocol}`];

/** Where a task may be, as far as no other task matters. */
type Site = Pick<Requirement, 'platforms' | 'conditions' | 'spreads' | 'placementKey'>;

const ANYWHERE: Site = { platforms: [], conditions: [], spreads: [], placementKey: '' };

/** Kept for placements that read the same, as those of many services do. */
const KEPT = 1_000;

/** By the stored placement, which never changes: it is read once, not once for each task. */
const SITES = new WeakMap<Placement, Site>();

/** By `placementKey`. */
const ALIKE = new BoundedMap<Site>(KEPT);

/** Each text behind its length, so that no two placements have the same key. JSON takes thrice the time. */
function keyOf(
  constraints: readonly string[],
  platforms: readonly Platform[],
  preferences: NonNullable<Placement['Preferences']>,
): string {
  let key = `${constraints.length} ${platforms.length} `;
  for (const text of constraints) key += `${text.length} ${text}`;
  for (const { OS = '', Architecture = '' } of platforms)
    key += `${OS.length} ${OS}${Architecture.length} ${Architecture}`;
  for (const { Spread } of preferences) key += `${Spread.SpreadDescriptor.length} ${Spread.SpreadDescriptor}`;
  return key;
}

function conditionOf(text: string): Condition {
  const constraint = parseConstraint(text);
  return { text, attribute: constraint.attribute, holds: compileConstraint(constraint) };
}

function siteOf({ Placement: placement }: TaskSpec): Site {
  if (placement === undefined) return ANYWHERE;
  const known = SITES.get(placement);
  if (known !== undefined) return known;
  const { Constraints = [], Platforms: platforms = [], Preferences = [] } = placement;
  if (Constraints.length + platforms.length + Preferences.length === 0) return ANYWHERE;
  const placementKey = keyOf(Constraints, platforms, Preferences);
  const site = ALIKE.get(placementKey) ?? {
    platforms,
    conditions: Constraints.map(conditionOf),
    spreads: Preferences.map(({ Spread }) => parseSpread(Spread.SpreadDescriptor)),
    placementKey,
  };
  SITES.set(placement, site);
  ALIKE.set(placementKey, site);
  return site;
}
