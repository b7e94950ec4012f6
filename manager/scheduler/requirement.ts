import { parseConstraint } from '../../proto/engine/placement-constraint.js';
import type { PortConfig } from '../../proto/engine/service-spec.js';
import type { Placement, Platform, ResourceList, TaskSpec } from '../../proto/engine/task-spec.js';
import type { NodeObject, TaskObject } from '../store/objects.js';
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
  /** Of the node's generic resources. */
  readonly generics: readonly GenericNeed[];
  /** The most tasks of its service on one node; 0 = any number. */
  readonly maxReplicas: number;
}

export const requirementOf = (task: Pick<TaskObject, 'spec' | 'hostPorts'>): Requirement => ({
  reserved: resourcesOf(task.spec.Resources?.Reservations),
  hostPorts: task.hostPorts.flatMap(hostPortKey),
  platforms: task.spec.Placement?.Platforms ?? [],
  conditions: conditionsOf(task.spec),
  generics: genericNeeds(task.spec.Resources?.Reservations?.GenericResources),
  maxReplicas: task.spec.Placement?.MaxReplicas ?? 0,
});

export const resourcesOf = (list: ResourceList | undefined): Resources => ({
  nanoCpus: list?.NanoCPUs ?? 0,
  memoryBytes: list?.MemoryBytes ?? 0,
});

/** A host port without a number is chosen by the Engine, so it conflicts with nothing. */
export const hostPortKeys = (ports: readonly PortConfig[]): readonly string[] => ports.flatMap(hostPortKey);

const hostPortKey = ({ PublishedPort = 0, Protocol = 'tcp' }: PortConfig): readonly string[] =>
  PublishedPort === 0 ? [] : [`${PublishedPort}/${Protocol}`];

const NO_CONDITIONS: readonly Condition[] = [];

/** By the stored placement, which never changes: a constraint is read once, not once for each task. */
const CONDITIONS = new WeakMap<Placement, readonly Condition[]>();

function conditionsOf({ Placement: placement }: TaskSpec): readonly Condition[] {
  if (placement === undefined) return NO_CONDITIONS;
  const known = CONDITIONS.get(placement);
  if (known !== undefined) return known;
  const conditions = (placement.Constraints ?? []).map((text) => ({
    text,
    holds: compileConstraint(parseConstraint(text)),
  }));
  CONDITIONS.set(placement, conditions);
  return conditions;
}
