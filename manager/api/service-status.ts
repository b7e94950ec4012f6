import type { ServiceStatus } from '../../proto/engine/service-document.js';
import { modeOf } from '../../proto/engine/service-mode.js';
import { finalWish } from '../drain/task-wish.js';
import { nodeStanding } from '../orchestrator/node-standing.js';
import type { ServiceObject, TaskObject } from '../store/objects.js';
import type { View } from '../store/store-types.js';

type Reads = Pick<View, 'get' | 'all' | 'tasksByService'>;

/** The counts of `GET /services?status=true`. */
export function serviceStatus(service: ServiceObject, view: Reads): ServiceStatus {
  const tasks = view.tasksByService(service.id);
  const { Mode } = service.spec;
  switch (modeOf(Mode)) {
    case 'replicated':
      return { RunningTasks: running(tasks), DesiredTasks: Mode.Replicated?.Replicas ?? 1, CompletedTasks: 0 };
    case 'global': {
      const reachable = tasks.filter(({ pinnedTo = '' }) => !isDown(pinnedTo, view));
      return {
        RunningTasks: running(reachable),
        DesiredTasks: nodesServed(service, reachable, view).length,
        CompletedTasks: 0,
      };
    }
    case 'replicated-job': {
      const DesiredTasks = Mode.ReplicatedJob?.MaxConcurrent ?? 1;
      return { RunningTasks: running(tasks), DesiredTasks, CompletedTasks: placesDone(service, tasks).size };
    }
    case 'global-job': {
      // What is done is desired no more.
      const done = placesDone(service, tasks);
      const open = nodesServed(service, tasks, view).filter((id) => !done.has(id));
      return { RunningTasks: running(tasks), DesiredTasks: open.length, CompletedTasks: done.size };
    }
  }
}

/** By the list of a service's tasks, which the store makes anew when one of them changes. */
const RUNNING = new WeakMap<readonly TaskObject[], number>();

/** What was observed, whatever is desired: the tasks of a node that is down count until they are moved. */
function running(tasks: readonly TaskObject[]): number {
  const known = RUNNING.get(tasks);
  if (known !== undefined) return known;
  const count = tasks.reduce((sum, task) => sum + (task.status.State === 'running' ? 1 : 0), 0);
  RUNNING.set(tasks, count);
  return count;
}

/** Slots, or nodes, of the present run that are done: a task that was taken for lost may end well beside its replacement. */
const placesDone = ({ job }: ServiceObject, tasks: readonly TaskObject[]): ReadonlySet<string | number> =>
  new Set(
    tasks.flatMap(({ jobIteration, status, pinnedTo, slot }) =>
      jobIteration === job?.iteration && status.State === 'complete' ? (pinnedTo ?? slot) : [],
    ),
  );

/** Those of a service with one task for each node are not moved: they do not count while their node is down. */
const isDown = (nodeId: string, view: Reads): boolean => (view.get('node', nodeId)?.status.state ?? 'down') === 'down';

/** Nodes that shall have a task, and those that keep the one they have. */
function nodesServed({ spec }: ServiceObject, tasks: readonly TaskObject[], view: Reads): readonly string[] {
  const having = new Set(tasks.flatMap((task) => (finalWish(task) === 'remove' ? [] : (task.pinnedTo ?? []))));
  return view.all('node').flatMap((node) => {
    const { kind } = nodeStanding(node, spec.TaskTemplate);
    return kind === 'wanted' || (kind === 'kept' && having.has(node.id)) ? node.id : [];
  });
}
