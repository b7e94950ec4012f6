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
        DesiredTasks: nodesServed(service, reachable, view),
        CompletedTasks: 0,
      };
    }
    case 'replicated-job': {
      const DesiredTasks = Mode.ReplicatedJob?.MaxConcurrent ?? 1;
      return { RunningTasks: running(tasks), DesiredTasks, CompletedTasks: completed(service, tasks) };
    }
    case 'global-job': {
      const DesiredTasks = nodesServed(service, tasks, view);
      return { RunningTasks: running(tasks), DesiredTasks, CompletedTasks: completed(service, tasks) };
    }
  }
}

/** What was observed, whatever is desired: the tasks of a node that is down count until they are moved. */
const running = (tasks: readonly TaskObject[]): number =>
  tasks.reduce((sum, task) => sum + (task.status.State === 'running' ? 1 : 0), 0);

/** Slots of the present run that are done: a task that was taken for lost may end well beside its replacement. */
const completed = ({ job }: ServiceObject, tasks: readonly TaskObject[]): number =>
  new Set(
    tasks.flatMap((task) =>
      task.jobIteration === job?.iteration && task.status.State === 'complete' ? task.slot : [],
    ),
  ).size;

/** Those of a service with one task for each node are not moved: they do not count while their node is down. */
const isDown = (nodeId: string, view: Reads): boolean => (view.get('node', nodeId)?.status.state ?? 'down') === 'down';

/** Nodes that shall have a task, and those that keep the one they have. */
function nodesServed({ spec }: ServiceObject, tasks: readonly TaskObject[], view: Reads): number {
  const having = new Set(tasks.flatMap((task) => (finalWish(task) === 'remove' ? [] : (task.pinnedTo ?? []))));
  return view.all('node').filter((node) => {
    const { kind } = nodeStanding(node, spec.TaskTemplate);
    return kind === 'wanted' || (kind === 'kept' && having.has(node.id));
  }).length;
}
