import type { TaskObject } from '../store/objects.js';
import { requirementOf } from './requirement.js';
import type { Group } from './place.js';

/** Tasks of one version of one service are alike: they have the same spec. */
export type GroupKey = string;

export const groupKey = ({ serviceId, serviceVersion }: Pick<TaskObject, 'serviceId' | 'serviceVersion'>): GroupKey =>
  `${serviceId}@${serviceVersion}`;

export interface TaskGroup extends Group {
  readonly key: GroupKey;
  readonly serviceVersion: number;
}

/**
 * The tasks of the named groups: the group that has waited longest first, in a group those that
 * shall run now before those that wait out a delay, then by slot.
 */
export function groupTasks(tasks: readonly TaskObject[], keys: ReadonlySet<GroupKey>): readonly TaskGroup[] {
  const members = new Map<GroupKey, TaskObject[]>();
  for (const task of tasks) {
    const key = groupKey(task);
    if (!keys.has(key)) continue;
    const known = members.get(key);
    if (known === undefined) members.set(key, [task]);
    else known.push(task);
  }
  return [...members]
    .map(([key, group]) => ({ key, group: group.sort(compareTasks), since: oldest(group) }))
    .sort((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1))
    .flatMap(({ key, group }) => {
      const [first] = group;
      if (first === undefined) return [];
      return {
        key,
        serviceId: first.serviceId,
        serviceVersion: first.serviceVersion,
        requirement: requirementOf(first),
        taskIds: group.map(({ id }) => id),
      };
    });
}

const oldest = (tasks: readonly TaskObject[]): number =>
  tasks.reduce((since, task) => Math.min(since, task.createdAt), Infinity);

const compareTasks = (a: TaskObject, b: TaskObject): number =>
  urgency(a) - urgency(b) || a.slot - b.slot || (a.id < b.id ? -1 : 1);

const urgency = (task: TaskObject): number => (task.desiredState === 'ready' ? 1 : 0);
