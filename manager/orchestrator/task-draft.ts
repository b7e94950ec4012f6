import { hostOptionsOf } from '../../proto/engine/host-labels.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { TaskState } from '../../proto/engine/task-state.js';
import { isPublished } from '../endpoints/endpoint-table.js';
import { registryAuthId } from '../secrets/registry-auth.js';
import { hostPortsOf } from '../updater/effective-spec.js';
import type { ServiceObject, Takeover, TaskObject } from '../store/objects.js';
import type { NewTask } from './task-action.js';

/** A status that the manager writes. */
export const managerStatus = (now: number, state: TaskState, message: string, err?: string): TaskStatus => ({
  Timestamp: new Date(now).toISOString(),
  State: state,
  Message: message,
  ...(err === undefined ? {} : { Err: err }),
});

/** What is wished of a task that has nothing more to wait for. */
export const wishFor = ({ jobIteration }: { readonly jobIteration?: number | undefined }): 'running' | 'complete' =>
  jobIteration === undefined ? 'running' : 'complete';

export interface TaskStart {
  /** Not before this time may it be wished to run, ms since the epoch. */
  readonly startAfter?: number;
  /** An earlier task of the slot is still stopping. */
  readonly blocked: boolean;
  readonly restarts: readonly number[];
  /** The status message: why this task exists and, when it has to wait, what for. */
  readonly message: string;
  readonly takeover?: Takeover;
  /** Of a service with one task for each node. */
  readonly pinnedTo?: string | undefined;
  /** Run what this task ran, not what the service asks for now. */
  readonly template?: TaskObject;
}

/**
 * A new task of `service` for a slot. It shares the spec object with its service, so that ten
 * thousand replicas cost one spec. One that has to wait is desired `ready`: it is scheduled and its
 * image is pulled meanwhile.
 */
export function draftTask(service: ServiceObject, slot: number, start: TaskStart, now: number): NewTask {
  const waits = start.blocked || (start.startAfter !== undefined && start.startAfter > now);
  const { takeover, template, pinnedTo } = start;
  const spec = template?.spec ?? service.spec.TaskTemplate;
  const hostOptions = template === undefined ? hostOptionsOf(service.spec.Labels) : template.hostOptions;
  const registryAuth = registryAuthId(service, spec.ContainerSpec.Image);
  return {
    spec,
    serviceId: service.id,
    serviceName: service.spec.Name,
    serviceLabels: service.spec.Labels,
    slot,
    serviceVersion: template?.serviceVersion ?? service.version,
    hostPorts: template?.hostPorts ?? hostPortsOf(service),
    desiredState: waits ? 'ready' : wishFor({ jobIteration: service.job?.iteration }),
    status: managerStatus(now, 'new', start.message),
    restarts: start.restarts,
    ...(hostOptions === undefined ? {} : { hostOptions }),
    ...(pinnedTo === undefined ? {} : { pinnedTo }),
    ...(service.job === undefined ? {} : { jobIteration: service.job.iteration }),
    ...(isPublished(service) ? { ingress: true } : {}),
    ...(registryAuth === undefined ? {} : { registryAuth }),
    ...(takeover === undefined ? {} : { takeover }),
    ...(waits && start.startAfter !== undefined ? { startAfter: start.startAfter } : {}),
  };
}
