import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import type { TaskObject } from '../store/objects.js';
import { objectMeta } from './object-meta.js';

/** `service.slot.id`: what the name filter matches, and what the container is called. */
export const taskName = (task: TaskObject): string => `${task.serviceName}.${task.slot}.${task.id}`;

/** A row as `GET /tasks` shows it. */
export const taskDocument = (task: TaskObject): TaskDocument => ({
  ...objectMeta(task),
  Labels: {},
  Spec: shownSpec(task.spec),
  ServiceID: task.serviceId,
  Slot: task.slot,
  ...(task.nodeId === undefined ? {} : { NodeID: task.nodeId }),
  Status: { ...task.status, PortStatus: task.status.PortStatus ?? {} },
  DesiredState: task.desiredState,
});

/** The Engine shows a task's runtime in its service only. */
function shownSpec(spec: TaskSpec): TaskSpec {
  const shown = { ...spec };
  delete shown.Runtime;
  return shown;
}
