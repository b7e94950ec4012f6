import { modeOf } from '../../proto/engine/service-mode.js';
import { shallLive } from '../drain/task-wish.js';
import { lossOf } from '../orchestrator/stop-task.js';
import { judgeRun } from '../schedule/judge-run.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';

export interface DependencyView {
  /** Services by name. */
  readonly serviceOf: (name: string) => ServiceObject | undefined;
  readonly tasksOf: (serviceId: string) => readonly TaskObject[];
  readonly nodeOf: (id: string) => NodeObject | undefined;
  readonly nodes: readonly NodeObject[];
}

/**
 * What the services of these names lack, for one that waits for them: `waits for db: 0 of 1 healthy`.
 * Undefined when it may start: each has a task that runs, and is healthy where it has a health check; a
 * job has completed.
 */
export function judgeDependencies(names: readonly string[], view: DependencyView): string | undefined {
  const lacks = names.flatMap((name) => {
    const lack = lackOf(view.serviceOf(name), view);
    return lack === undefined ? [] : [`${name}: ${lack}`];
  });
  return lacks.length === 0 ? undefined : `waits for ${lacks.join('; ')}`;
}

function lackOf(service: ServiceObject | undefined, view: DependencyView): string | undefined {
  if (service === undefined) return 'there is no such service';
  const tasks = view.tasksOf(service.id);
  switch (modeOf(service.spec.Mode)) {
    case 'replicated':
    case 'global':
      return replicaLack(tasks, view);
    case 'replicated-job':
    case 'global-job':
      return service.schedule === undefined ? jobLack(service, tasks, view) : scheduleLack(service.schedule.runs);
  }
}

function replicaLack(tasks: readonly TaskObject[], { nodeOf }: DependencyView): string | undefined {
  const live = tasks.filter((task) => shallLive(task) && lossOf(task, nodeOf) === undefined);
  const healthy = live.filter(({ status }) => status.State === 'running' && status.health === undefined);
  return healthy.length > 0 ? undefined : `0 of ${live.length} healthy`;
}

function jobLack(service: ServiceObject, tasks: readonly TaskObject[], view: DependencyView): string | undefined {
  const verdict = judgeRun(service.job?.iteration ?? 0, { ...view, service, tasks });
  if (verdict.kind === 'going') return `${verdict.done} of ${verdict.total} completed`;
  return verdict.outcome === 'succeeded' ? undefined : `its run failed: ${verdict.reason}`;
}

/** The last of its runs that ended counts. */
function scheduleLack(runs: Required<ServiceObject>['schedule']['runs']): string | undefined {
  const ends = runs.flatMap((run) => (run.kind === 'started' && run.end !== undefined ? [run.end] : []));
  const last = ends.reduce((one, other) => (other.at > one.at ? other : one), ends[0] ?? NO_RUN);
  return last.outcome === 'succeeded' ? undefined : `its last run: ${last.reason}`;
}

const NO_RUN = { at: 0, outcome: 'failed', reason: 'none has ended yet' } as const;
