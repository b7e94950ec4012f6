import type { ServiceObject, TaskObject } from '../store/objects.js';
import { rolloutConfig } from '../updater/rollout-config.js';
import { chooseOrder } from '../updater/update-order.js';
import { retire, type StopView } from './stop-task.js';
import type { TaskAction } from './task-action.js';

/** What Swarm says of a task whose health check failed. */
export const UNHEALTHY = 'task: container unhealthy';

/** Its agent says that the health check of its container, which runs, has failed. */
export const isUnhealthy = ({ status }: Pick<TaskObject, 'status'>): boolean =>
  status.State === 'running' && status.health === 'unhealthy';

export const markUnhealthy = (task: TaskObject): TaskObject => ({ ...task, unhealthy: true });

/** Sends an unhealthy task away. It may still answer, so what is under way on it is waited for. */
export const condemn = (task: TaskObject, view: StopView): TaskAction =>
  retire(markUnhealthy(task), 'shutdown', UNHEALTHY, view);

/**
 * Whether another task of the slot may start while this one, which was unhealthy, has not stopped. What
 * hangs on it may take until the drain deadline; the slot must not stay empty so long, unless the two
 * cannot be there at once or the user says that the old one goes first.
 */
export const mayRunBeside = (task: TaskObject, service: ServiceObject): boolean =>
  task.unhealthy === true &&
  task.jobIteration === undefined &&
  chooseOrder(rolloutConfig(service).order, task).order === 'start-first';
