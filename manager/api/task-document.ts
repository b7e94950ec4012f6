import type { TaskDocument, TaskStatus } from '../../proto/engine/task-document.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { finalWish } from '../drain/task-wish.js';
import type { TaskObject } from '../store/objects.js';
import { timestamp } from '../../core/clock.js';
import { objectMeta } from './object-meta.js';

/** `service.slot.id` or `service.node.id`: what the name filter matches, and what the container is called. */
export const taskName = (task: TaskObject): string => `${task.serviceName}.${placeName(task)}.${task.id}`;

/** A slot of 0 is none to the Engine. */
const placeName = ({ slot, pinnedTo, nodeId = '0' }: TaskObject): string =>
  pinnedTo ?? (slot === 0 ? nodeId : String(slot));

/**
 * A row as `GET /tasks` shows it. Written out field by field: of twenty thousand in one answer, object
 * spreads would cost ten times as much as all the rest.
 */
export function taskDocument(task: TaskObject, drainReason: (task: TaskObject) => string): TaskDocument {
  const { ID, Version, CreatedAt, UpdatedAt } = objectMeta(task);
  const document: TaskDocument = {
    ID,
    Version,
    CreatedAt,
    UpdatedAt,
    Labels: {},
    Spec: shownSpec(task.spec),
    ServiceID: task.serviceId,
    Status: shownStatus(task),
    DesiredState: finalWish(task),
  };
  if (task.pinnedTo === undefined) document.Slot = task.slot;
  // The node that a task is for is known before the scheduler has found room on it.
  const nodeId = task.nodeId ?? task.pinnedTo;
  if (nodeId !== undefined) document.NodeID = nodeId;
  if (task.jobIteration !== undefined) document.JobIteration = { Index: task.jobIteration };
  if (task.genericResources !== undefined) document.GenericResources = [...task.genericResources];
  if (task.draining !== undefined) {
    document.drain = { since: timestamp(task.draining.since), reason: drainReason(task) };
  }
  if (task.move !== undefined) document.move = { since: timestamp(task.move.since), reason: task.move.cause };
  if (task.volumesLeft !== undefined) document.warning = task.volumesLeft.warning;
  return document;
}

/** Clients list a task with its `Err` and with no other text: a warning stands there while there is no error. */
function shownStatus({ status, volumesLeft }: TaskObject): TaskStatus {
  const shown = status.PortStatus === undefined ? { ...status, PortStatus: {} } : status;
  if (volumesLeft === undefined || (status.Err ?? '') !== '') return shown;
  return { ...shown, Err: `warning: ${volumesLeft.warning}` };
}

/** By the stored spec, which never changes. Most tasks share one, and lists are asked for again and again. */
const SHOWN = new WeakMap<TaskSpec, TaskSpec>();

/** The Engine shows a task's runtime in its service only. */
export function shownSpec(spec: TaskSpec): TaskSpec {
  const known = SHOWN.get(spec);
  if (known !== undefined) return known;
  const { Runtime: runtime, ...rest } = spec;
  const shown = runtime === undefined ? spec : rest;
  SHOWN.set(spec, shown);
  return shown;
}
