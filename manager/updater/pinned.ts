import { shallLive } from '../drain/task-wish.js';
import { chooseLive } from '../orchestrator/slot.js';
import type { NodeLookup } from '../orchestrator/task-action.js';
import type { ServiceObject, TaskObject } from '../store/objects.js';
import { isUpToDate } from './effective-spec.js';

/** The node that a slot stands for, all its tasks given; undefined where slots are numbers. */
export const pinnedNode = (tasks: readonly TaskObject[]): string | undefined => tasks[0]?.pinnedTo;

/**
 * Whether a slot can be changed, all its tasks given. That of a node which is paused or cannot be
 * reached is left alone, so that a rollout need not wait for it; what begun there while it could, ends.
 */
export function canChange(tasks: readonly TaskObject[], nodeOf: NodeLookup): boolean {
  const pinnedTo = pinnedNode(tasks);
  if (pinnedTo === undefined) return true;
  const node = nodeOf(pinnedTo);
  if (node?.status.state !== 'ready' || node.spec.Availability === 'drain') return false;
  const { keep: live } = chooseLive(tasks);
  return node.spec.Availability === 'active' || (live?.takeover !== undefined && live.nodeId !== undefined);
}

interface OutrunView {
  readonly service: ServiceObject;
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
}

/**
 * Tasks that a rollout passed by because nothing could be changed on their nodes, which can be now.
 * A slot in which the present spec was tried already is not among them.
 */
export function outrunTasks({ service, tasks, nodeOf }: OutrunView): readonly TaskObject[] {
  if (service.rollout !== undefined) return [];
  const tried = new Set(tasks.flatMap(({ slot, serviceVersion }) => (serviceVersion === service.version ? slot : [])));
  return tasks.filter(
    (task) =>
      task.pinnedTo !== undefined &&
      shallLive(task) &&
      !tried.has(task.slot) &&
      !isUpToDate(task, service, nodeOf(task.pinnedTo)),
  );
}
