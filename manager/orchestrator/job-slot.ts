import { isTerminal } from '../../proto/engine/task-state.js';
import { shallLive } from '../drain/task-wish.js';
import { openIterations } from '../schedule/open-runs.js';
import type { ServiceObject, TaskObject } from '../store/objects.js';
import { nodeStanding } from './node-standing.js';
import { judgeLoss } from './restart.js';
import { removeTasks, type ServiceView } from './service-slots.js';
import { decideSlot, replace, type SlotView } from './slot.js';
import { lossOf, retire } from './stop-task.js';
import { decision, type Decision } from './task-action.js';

/** The tasks of a job by the run that they belong to. */
export interface JobTasks {
  /** Runs that go on, the oldest first: one, or several of a schedule that allows it. */
  readonly open: readonly OpenRun[];
  /** Of runs that are over: they are sent away, and forgotten once they have stopped. Those of the newest run stay as its history. */
  readonly earlier: readonly TaskObject[];
}

export interface OpenRun {
  /** The service, with this run as its job: tasks that are made are of it. */
  readonly service: ServiceObject;
  readonly tasks: readonly TaskObject[];
}

export function jobTasks(service: ServiceObject, tasks: readonly TaskObject[]): JobTasks {
  const byRun = new Map<number | undefined, TaskObject[]>();
  for (const task of tasks) {
    const known = byRun.get(task.jobIteration);
    if (known === undefined) byRun.set(task.jobIteration, [task]);
    else known.push(task);
  }
  const open = openIterations(service);
  const kept = new Set<number | undefined>([...open, service.job?.iteration]);
  return {
    open: open.map((iteration) => ({
      service: { ...service, job: { ...service.job, iteration } },
      tasks: byRun.get(iteration) ?? [],
    })),
    earlier: tasks.filter(({ jobIteration }) => !kept.has(jobIteration)),
  };
}

/** All tasks but those of other runs that go on beside this one. */
export const besides = (
  { service }: OpenRun,
  { open }: JobTasks,
  tasks: readonly TaskObject[],
): readonly TaskObject[] => {
  if (open.length === 1) return tasks;
  const others = new Set<number | undefined>(open.map((run) => run.service.job?.iteration));
  others.delete(service.job?.iteration);
  return tasks.filter(({ jobIteration }) => !others.has(jobIteration));
};

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
