import { genericResourceText } from '../../proto/engine/generic-resource.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { shallLive } from '../drain/task-wish.js';
import type { NodeObject, TaskObject } from '../store/objects.js';
import { genericsOf, nameOf, otherPlatform, unwanted } from './filters.js';
import { goneGenerics } from './generic-resources.js';
import { requirementOf, resourcesOf, type Resources } from './requirement.js';

/** A task that may not stay where it is, with the reason. */
export interface Misfit {
  readonly task: TaskObject;
  readonly reason: string;
}

/**
 * Why a task of this spec may not be on this node whatever else is there: a constraint or a platform
 * that does not hold. Undefined when it may. Availability and state of the node do not count.
 */
export function misfitOf(spec: TaskSpec, node: NodeObject): string | undefined {
  const requirement = requirementOf({ spec, hostPorts: [] });
  const refusal = unwanted(requirement, node) ?? otherPlatform(requirement, node);
  switch (refusal?.filter) {
    case undefined:
      return undefined;
    case 'constraint':
      return `node ${refusal.node} no longer meets the constraint ${refusal.constraint}`;
    case 'platform':
      return `node ${refusal.node} is of the platform ${refusal.platform}, which the service does not run on`;
    case 'ready':
    case 'resources':
    case 'host-port':
    case 'max-replicas':
      // Not asked for above.
      return undefined;
  }
}

/**
 * The tasks of a node that no longer fit it, all its tasks given: by constraints and platform, by
 * reservations beyond what the node has (it shrank), by more replicas of a service than may be on
 * one node. The oldest stay. `specOf` gives what a task is to be judged by: the spec of its service
 * as it is now. Tasks that are on their way out hold their room and are not named.
 */
export function misfits(
  node: NodeObject,
  tasks: readonly TaskObject[],
  specOf: (task: TaskObject) => TaskSpec,
): readonly Misfit[] {
  const leaving = tasks.filter((task) => !shallLive(task));
  const room = new Room(node);
  for (const task of leaving) room.take(resourcesOf(task.spec.Resources?.Reservations));
  const replicas = new Map<string, number>();
  const found: Misfit[] = [];
  for (const task of tasks.filter(shallLive).sort(byAge)) {
    const spec = specOf(task);
    const most = spec.Placement?.MaxReplicas ?? 0;
    const earlier = replicas.get(task.serviceId) ?? 0;
    const reserved = resourcesOf(task.spec.Resources?.Reservations);
    const reason =
      misfitOf(spec, node) ??
      (most > 0 && earlier >= most ? `at most ${most} replicas may be on node ${nameOf(node)}` : undefined) ??
      goneReason(task, node) ??
      (room.lacks(reserved) ? `node ${nameOf(node)} no longer has what its tasks reserve` : undefined);
    if (reason !== undefined) {
      found.push({ task, reason });
      continue;
    }
    replicas.set(task.serviceId, earlier + 1);
    room.take(reserved);
  }
  return found;
}

function goneReason({ genericResources = [] }: TaskObject, node: NodeObject): string | undefined {
  const gone = goneGenerics(genericResources, genericsOf(node));
  return gone.length === 0
    ? undefined
    : `node ${nameOf(node)} no longer has ${gone.map(genericResourceText).join(', ')}`;
}

class Room {
  #free: Resources;

  constructor(node: NodeObject) {
    this.#free = resourcesOf(node.description?.Resources);
  }

  /** What reserves nothing always fits. */
  lacks({ nanoCpus, memoryBytes }: Resources): boolean {
    return (
      (nanoCpus > 0 && nanoCpus > this.#free.nanoCpus) || (memoryBytes > 0 && memoryBytes > this.#free.memoryBytes)
    );
  }

  take({ nanoCpus, memoryBytes }: Resources): void {
    this.#free = { nanoCpus: this.#free.nanoCpus - nanoCpus, memoryBytes: this.#free.memoryBytes - memoryBytes };
  }
}

const byAge = (a: TaskObject, b: TaskObject): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
