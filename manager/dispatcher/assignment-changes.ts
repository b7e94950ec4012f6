import type { Assignment } from '../../proto/assignment.js';
import type { TaskObject } from '../store/objects.js';
import type { CommittedChange } from '../store/store-types.js';

/** What one commit means for the agent of one node. */
export interface AssignmentChange {
  readonly set: readonly Assignment[];
  /** Ids of tasks whose rows are gone: nothing of them need stay on the node. */
  readonly remove: readonly string[];
}

/** What an agent must know of a task. */
export const toAssignment = (task: TaskObject): Assignment => ({
  taskId: task.id,
  serviceId: task.serviceId,
  serviceName: task.serviceName,
  serviceLabels: task.serviceLabels,
  // To the Engine, a task that is for one node has no slot.
  slot: task.pinnedTo === undefined ? task.slot : 0,
  desiredState: task.desiredState,
  ...(task.unhealthy === true ? { unhealthy: true } : {}),
  spec: task.spec,
  status: task.status,
  hostPorts: task.hostPorts,
  ...(task.hostOptions === undefined ? {} : { hostOptions: task.hostOptions }),
  ...(task.genericResources === undefined ? {} : { genericResources: task.genericResources }),
  ...(task.logDriver === undefined ? {} : { logDriver: task.logDriver }),
  ...(task.registryAuth === undefined ? {} : { registryAuth: task.registryAuth }),
});

/**
 * The assignment changes of a commit, by node. Only what an agent acts on counts: that it got or
 * lost a task, and what is wished of it. Observed states came from the agent and never go back down.
 *
 * A task that ended stays assigned until its row is deleted: until then its container may be looked
 * at, and the agent that missed its end is told once more.
 */
export function assignmentChanges(changes: readonly CommittedChange[]): ReadonlyMap<string, AssignmentChange> {
  const nodes = new Map<string, { set: Assignment[]; remove: string[] }>();
  const of = (nodeId: string): { set: Assignment[]; remove: string[] } => {
    const known = nodes.get(nodeId);
    if (known !== undefined) return known;
    const change = { set: [], remove: [] };
    nodes.set(nodeId, change);
    return change;
  };
  for (const change of changes) {
    if (change.table !== 'task') continue;
    const { before, after } = change;
    if (after?.nodeId !== undefined && !isSame(before, after)) of(after.nodeId).set.push(toAssignment(after));
    if (before?.nodeId !== undefined && after?.nodeId !== before.nodeId) of(before.nodeId).remove.push(change.id);
  }
  return nodes;
}

const isSame = (before: TaskObject | undefined, after: TaskObject): boolean =>
  before?.nodeId === after.nodeId &&
  before?.desiredState === after.desiredState &&
  before.spec === after.spec &&
  before.serviceLabels === after.serviceLabels;
