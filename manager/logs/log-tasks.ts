import { isDesiredAlive, stateOrder } from '../../proto/engine/task-state.js';
import type { TaskObject } from '../store/objects.js';

/** More logs are not read for one request; a service's history has at most a few per slot. */
const MOST_LOGS = 512;

/** Where the log of a task is. */
export interface TaskLog {
  readonly task: TaskObject;
  readonly nodeId: string;
  /** Id or name. */
  readonly container: string;
  /** The agent told the id of its container: that there is none would be worth saying. */
  readonly isKnown: boolean;
}

export interface LogSelection {
  readonly logs: readonly TaskLog[];
  /** Why some are left out, in SwarmKit's words. */
  readonly reasons: readonly string[];
}

/** The logs that are there to be read, of the newest tasks when there are too many. */
export function selectLogs(tasks: readonly TaskObject[], nameOf: (task: TaskObject) => string): LogSelection {
  const logs = tasks.flatMap((task) => taskLog(task, nameOf) ?? []).sort((a, b) => b.task.createdAt - a.task.createdAt);
  const left = logs.length - MOST_LOGS;
  return {
    logs: logs.slice(0, MOST_LOGS),
    reasons: [
      ...tasks.filter(isUnscheduled).map(({ id }) => `task ${id} has not been scheduled`),
      ...(left > 0 ? [`${left} older tasks are left out; ask for one of them`] : []),
    ],
  };
}

/** Undefined while the task has no container that runs or ran. */
export function taskLog(task: TaskObject, nameOf: (task: TaskObject) => string): TaskLog | undefined {
  const { nodeId, status } = task;
  if (nodeId === undefined || status.State === 'rejected') return undefined;
  const id = status.ContainerStatus?.ContainerID ?? '';
  const started =
    stateOrder(status.State) >= stateOrder('running') ||
    (status.State === 'starting' && (status.ContainerStatus?.PID ?? 0) > 0);
  if (!started) return undefined;
  return { task, nodeId, container: id === '' ? nameOf(task) : id, isKnown: id !== '' };
}

const isUnscheduled = ({ nodeId, desiredState }: TaskObject): boolean =>
  nodeId === undefined && isDesiredAlive(desiredState);
