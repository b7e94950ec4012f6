import { isTerminal } from '../../proto/engine/task-state.js';
import { shallLive } from '../drain/task-wish.js';
import type { TaskObject } from '../store/objects.js';
import { nodeStanding } from './node-standing.js';
import { judgeLoss } from './restart.js';
import { removeTasks, type ServiceView } from './service-slots.js';
import { decideSlot, replace, type SlotView } from './slot.js';
import { lossOf, retire } from './stop-task.js';
import { decision, type Decision } from './task-action.js';

/** The tasks of a job by the run that they belong to. */
export interface JobTasks {
  readonly present: readonly TaskObject[];
  /** Of earlier runs: they are sent away, and forgotten once they have stopped. */
  readonly earlier: readonly TaskObject[];
}

export function jobTasks({ service, tasks }: Pick<ServiceView, 'service' | 'tasks'>): JobTasks {
  const isPresent = ({ jobIteration }: TaskObject): boolean => jobIteration === service?.job?.iteration;
  return { present: tasks.filter(isPresent), earlier: tasks.filter((task) => !isPresent(task)) };
}

export const removeEarlier = ({ earlier }: JobTasks, view: ServiceView): Decision =>
  removeTasks(earlier, 'another run of its job has begun', view);

/** A slot of a job is done when a task of it completed. */
export const isDone = (tasks: readonly TaskObject[]): boolean =>
  tasks.some(({ status }) => status.State === 'complete');

/** It may run now or later. What stands on a lost node is not waited for. */
export const mayRun = (task: TaskObject, { nodeOf }: Pick<ServiceView, 'nodeOf'>): boolean =>
  !isTerminal(task.status.State) &&
  (task.nodeId !== undefined || shallLive(task)) &&
  lossOf(task, nodeOf) === undefined;

/**
 * Keeps one slot of a job, all its tasks of the present run given: a task that failed is replaced as
 * its restart policy says, one that completed is the end of it. A task whose node shall be empty, or
 * may no longer have it, is stopped and begun anew elsewhere, unless it may not be begun twice.
 */
export function decideJobSlot(view: SlotView): Decision {
  const { tasks, service, nodeOf, now } = view;
  if (isDone(tasks)) {
    const others = tasks.filter((task) => shallLive(task) && !isTerminal(task.status.State));
    return decision(
      others.map((task) => retire(task, 'shutdown', 'its slot is done', view)),
      undefined,
    );
  }
  const live = tasks.find((task) => shallLive(task) && mayRun(task, view) && task.nodeId !== undefined);
  const standing = live === undefined ? undefined : nodeStanding(nodeOf(live.nodeId ?? ''), service.spec.TaskTemplate);
  if (live === undefined || standing?.kind !== 'refused') return decideSlot(view);
  const { reason } = standing;
  const end = retire(live, 'shutdown', reason, view);
  return replace(live, end, { ...judgeLoss(live, now), reason }, view, undefined);
}
