import { isDesiredAlive, type DesiredState } from '../../proto/engine/task-state.js';
import type { Draft } from '../store/store-types.js';
import type { TaskObject } from '../store/objects.js';

type Wished = Pick<TaskObject, 'desiredState' | 'draining'>;

/** What the manager wants of a task in the end: one that drains is still told to run, and will be told to stop. */
export const finalWish = ({ desiredState, draining }: Wished): DesiredState => draining?.then ?? desiredState;

/** Neither told to stop nor about to be. */
export const shallLive = (task: Wished): boolean => task.draining === undefined && isDesiredAlive(task.desiredState);

/** The task as one that does not drain. */
export function withoutDrain(task: Draft<TaskObject>): Draft<TaskObject> {
  const { draining, ...rest } = task;
  return draining === undefined ? task : rest;
}
