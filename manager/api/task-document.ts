import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { finalWish } from '../drain/task-wish.js';
import type { TaskObject } from '../store/objects.js';
import { timestamp } from '../../core/clock.js';
import { objectMeta } from './object-meta.js';

/** `service.slot.id`: what the name filter matches, and what the container is called. */
export const taskName = (task: TaskObject): string => `${task.serviceName}.${task.slot}.${task.id}`;

/**
 * A row as `GET /tasks` shows it. Written out field by field: of twenty thousand in one answer, object
 * spreads would cost ten times as much as all the rest.
 */
export function taskDocument(task: TaskObject, drainReason: (task: TaskObject) => string): TaskDocument {
  const { ID, Version, CreatedAt, UpdatedAt } = objectMeta(task);
  const { status } = task;
  const document: TaskDocument = {
    ID,
    Version,
    CreatedAt,
    UpdatedAt,
    Labels: {},
    Spec: shownSpec(task.spec),
    ServiceID: task.serviceId,
    Slot: task.slot,
    Status: status.PortStatus === undefined ? { ...status, PortStatus: {} } : status,
    DesiredState: finalWish(task),
  };
  if (task.nodeId !== undefined) document.NodeID = task.nodeId;
  if (task.genericResources !== undefined) document.GenericResources = [...task.genericResources];
  if (task.draining !== undefined) {
    document.drain = { since: timestamp(task.draining.since), reason: drainReason(task) };
  }
  return document;
}

/** By the stored spec, which never changes. Most tasks share one, and lists are asked for again and again. */
const SHOWN = new WeakMap<TaskSpec, TaskSpec>();

/** The Engine shows a task's runtime in its service only. */
function shownSpec(spec: TaskSpec): TaskSpec {
  const known = SHOWN.get(spec);
  if (known !== undefined) return known;
  const { Runtime: runtime, ...rest } = spec;
  const shown = runtime === undefined ? spec : rest;
  SHOWN.set(spec, shown);
  return shown;
}
