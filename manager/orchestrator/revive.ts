import { isUpToDate } from '../updater/effective-spec.js';
import type { ServiceObject, TaskObject } from '../store/objects.js';
import { isFilled } from './slot.js';
import type { Slot } from './scale-down.js';
import { lossOf } from './stop-task.js';
import type { NodeLookup } from './task-action.js';

/**
 * Tasks that were to be removed, one of each free slot, that can serve on as they are: they run what
 * the service asks for, on a node that may keep them, and nobody told them to stop yet. Once that was
 * said it is too late.
 */
export const revivals = (service: ServiceObject, slots: readonly Slot[], nodeOf: NodeLookup): readonly TaskObject[] =>
  slots.flatMap(({ tasks }) => {
    const task = isFilled(tasks) ? undefined : tasks.find((one) => canServeOn(one, service, nodeOf));
    return task === undefined ? [] : [task];
  });

const canServeOn = (task: TaskObject, service: ServiceObject, nodeOf: NodeLookup): boolean =>
  task.draining?.then === 'remove' &&
  task.desiredState === 'running' &&
  task.status.State === 'running' &&
  task.unhealthy !== true &&
  task.nodeId !== undefined &&
  lossOf(task, nodeOf) === undefined &&
  nodeOf(task.nodeId)?.spec.Availability !== 'drain' &&
  isUpToDate(task, service, nodeOf(task.nodeId));
