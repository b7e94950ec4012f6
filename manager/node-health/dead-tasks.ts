import type { TaskStatus } from '../../proto/engine/task-document.js';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import type { Vouch } from '../../proto/vouch.js';
import type { TaskObject } from '../store/objects.js';

export interface DeadTask {
  readonly task: TaskObject;
  readonly status: TaskStatus;
  readonly reason: string;
}

/**
 * The tasks of a node without a daemon whose containers are gone, by the word of its mesh, with the
 * status that the manager writes in the agent's stead. `now` is a time of the API.
 */
export function deadTasks(tasks: readonly TaskObject[], vouch: Vouch, now: string): readonly DeadTask[] {
  const dead = new Set(vouch.dead);
  const reason = 'its container ended while the daemon of its node was away';
  return tasks
    .filter((task) => dead.has(task.id) && task.nodeId === vouch.nodeId && !isTerminal(task.status.State))
    .map((task) => ({ task, reason, status: endOf(task, reason, now) }));
}

/** One that was told to stop ended as it should. */
const endOf = (task: TaskObject, reason: string, now: string): TaskStatus =>
  isDesiredAlive(task.desiredState)
    ? { ...task.status, Timestamp: now, State: 'failed', Message: 'container gone', Err: reason }
    : { ...task.status, Timestamp: now, State: 'shutdown', Message: 'shutdown' };
