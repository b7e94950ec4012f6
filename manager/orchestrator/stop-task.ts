import { drainDeadline } from '../../proto/engine/service-deadlines.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import { finalWish } from '../drain/task-wish.js';
import { isPublished } from '../endpoints/endpoint-table.js';
import type { ServiceObject, TaskDrain, TaskObject } from '../store/objects.js';
import type { NodeLookup, TaskAction } from './task-action.js';
import { managerStatus } from './task-draft.js';

export interface StopView {
  /** Absent: it was removed. */
  readonly service: ServiceObject | undefined;
  readonly nodeOf: NodeLookup;
  readonly now: number;
}

/** Why the node of this task is lost; undefined when it is not, or the task has no node yet. */
export function lossOf(task: TaskObject, nodeOf: NodeLookup): string | undefined {
  if (task.nodeId === undefined) return undefined;
  const node = nodeOf(task.nodeId);
  if (node === undefined) return `node ${task.nodeId} was removed from the swarm`;
  if (node.status.state !== 'down') return undefined;
  const name = node.description?.Hostname ?? node.id;
  return node.status.message === '' ? `node ${name} is down` : `node ${name} is down: ${node.status.message}`;
}

/** Other tasks of the slot that may still run. What stands on a lost node is not waited for. */
export const stoppingTasks = (
  view: { readonly tasks: readonly TaskObject[]; readonly nodeOf: NodeLookup },
  except?: TaskObject,
): readonly TaskObject[] =>
  view.tasks.filter(
    (task) =>
      task.id !== except?.id &&
      task.nodeId !== undefined &&
      !isTerminal(task.status.State) &&
      lossOf(task, view.nodeOf) === undefined,
  );

/**
 * Sends a task away. One that may have connections drains first. Nobody would ever report the end of
 * one that no node has: it is deleted.
 */
export function retire(
  task: TaskObject,
  desiredState: 'shutdown' | 'remove',
  reason: string,
  view: StopView,
): TaskAction {
  if (task.nodeId === undefined) return { kind: 'delete', task, reason };
  if (desiredState === 'shutdown' && isOrphan(task, view)) return lose(task, view);
  if (mayServe(task, view)) return { kind: 'drain', task, draining: drainOf(task, desiredState, reason, view), reason };
  return { kind: 'wish', task, desiredState, reason };
}

/** Whether requests may be under way on a task: one that was told to stop already is past that. */
const mayServe = (task: TaskObject, { service, nodeOf }: StopView): boolean =>
  task.status.State === 'running' &&
  task.desiredState === 'running' &&
  (task.ingress === true || isPublished(service)) &&
  lossOf(task, nodeOf) === undefined;

/** A task that drains already goes on draining, for the later of the two ends. */
function drainOf(task: TaskObject, then: TaskDrain['then'], cause: string, view: StopView): TaskDrain {
  if (task.draining !== undefined) return { ...task.draining, then, cause };
  const { service, now, nodeOf } = view;
  const deadline = now + drainDeadline(service?.spec.Labels ?? task.serviceLabels);
  const drain = task.nodeId === undefined ? undefined : nodeOf(task.nodeId)?.drain;
  if (drain?.deadline === undefined || drain.deadline >= deadline) return { since: now, deadline, then, cause };
  // Its whole node has less time than the service would give it.
  return { since: Math.min(now, drain.since), deadline: drain.deadline, then, cause };
}

export function lose(task: TaskObject, view: Pick<StopView, 'nodeOf' | 'now'>): TaskAction {
  const reason = lossOf(task, view.nodeOf) ?? task.status.Err ?? 'its node is lost';
  const wish = finalWish(task);
  return {
    kind: 'lose',
    task,
    desiredState: wish === 'remove' ? 'remove' : 'shutdown',
    reason,
    ...(isOrphan(task, view)
      ? { status: { ...task.status, ...managerStatus(view.now, 'orphaned', 'node lost', reason) } }
      : {}),
  };
}

/** It has not ended, and the node that would say so was removed. */
export const isOrphan = (task: TaskObject, view: Pick<StopView, 'nodeOf'>): boolean =>
  task.nodeId !== undefined && !isTerminal(task.status.State) && view.nodeOf(task.nodeId) === undefined;
