import type { TaskObject } from '../store/objects.js';
import type { Group } from './place.js';
import { requirementOf } from './requirement.js';

/** Tasks of one version of one service are alike: they have the same spec. One that is for one node only stands alone. */
export type GroupKey = string;

export const groupKey = ({
  serviceId,
  serviceVersion,
  pinnedTo,
}: Pick<TaskObject, 'serviceId' | 'serviceVersion' | 'pinnedTo'>): GroupKey =>
  pinnedTo === undefined ? `${serviceId}@${serviceVersion}` : `${serviceId}@${serviceVersion}/${pinnedTo}`;

export interface TaskGroup extends Omit<Group, 'taskIds'> {
  readonly key: GroupKey;
  readonly serviceVersion: number;
  /** In no order. */
  readonly tasks: readonly TaskObject[];
}

interface Members {
  readonly key: GroupKey;
  readonly tasks: TaskObject[];
  /** When the first of them was made. */
  since: number;
}

/** The tasks of the named groups; the group that has waited longest first. */
export function groupTasks(tasks: readonly TaskObject[], keys: ReadonlySet<GroupKey>): readonly TaskGroup[] {
  const services = new Map<string, Map<number, Members | undefined>>();
  const pinned = new Map<GroupKey, Members>();
  let last: { readonly task: TaskObject; readonly members: Members | undefined } | undefined;
  for (const task of tasks) {
    if (task.pinnedTo !== undefined) {
      const key = groupKey(task);
      if (!keys.has(key)) continue;
      const members = pinned.get(key) ?? { key, tasks: [], since: Infinity };
      pinned.set(key, members);
      add(task, members);
      continue;
    }
    if (last?.task.serviceId === task.serviceId && last.task.serviceVersion === task.serviceVersion) {
      add(task, last.members);
      continue;
    }
    const versions = services.get(task.serviceId) ?? new Map<number, Members | undefined>();
    if (versions.size === 0) services.set(task.serviceId, versions);
    if (!versions.has(task.serviceVersion)) {
      const key = groupKey(task);
      versions.set(task.serviceVersion, keys.has(key) ? { key, tasks: [], since: Infinity } : undefined);
    }
    const members = versions.get(task.serviceVersion);
    add(task, members);
    last = { task, members };
  }
  return [...services.values()]
    .flatMap((versions) => [...versions.values()].flatMap((members) => members ?? []))
    .concat([...pinned.values()])
    .sort((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1))
    .flatMap(({ key, tasks: members }) => {
      const [first] = members;
      if (first === undefined) return [];
      const { serviceId, serviceVersion, pinnedTo } = first;
      const site = pinnedTo === undefined ? {} : { pinnedTo };
      return { key, serviceId, serviceVersion, requirement: requirementOf(first), tasks: members, ...site };
    });
}

function add(task: TaskObject, members: Members | undefined): void {
  if (members === undefined) return;
  members.tasks.push(task);
  members.since = Math.min(members.since, task.createdAt);
}

/** The ids of the first `most` tasks: those that shall run now before those that wait out a delay, then by slot. */
export function firstOf(tasks: readonly TaskObject[], most: number): readonly string[] {
  return soonest(tasks, most)
    .sort(compareTasks)
    .slice(0, most)
    .map(({ id }) => id);
}

/** At least the first `most`, in no order: of a hundred thousand tasks, no pass sorts more than it places. */
function soonest(tasks: readonly TaskObject[], most: number): TaskObject[] {
  if (tasks.length <= 2 * most) return [...tasks];
  const turns = tasks.map(turn);
  const last = nthLeast(Float64Array.from(turns), most);
  return tasks.filter((_task, index) => (turns[index] ?? 0) <= last);
}

/** The value that stands at `place` once `values` are sorted (quickselect); they are shuffled by it. */
function nthLeast(values: Float64Array, place: number): number {
  let from = 0;
  let to = values.length - 1;
  while (from < to) {
    const pivot = values[(from + to) >> 1] ?? 0;
    let low = from;
    let high = to;
    while (low <= high) {
      while ((values[low] ?? 0) < pivot) low += 1;
      while ((values[high] ?? 0) > pivot) high -= 1;
      if (low > high) break;
      const swapped = values[low] ?? 0;
      values[low] = values[high] ?? 0;
      values[high] = swapped;
      low += 1;
      high -= 1;
    }
    if (place <= high) to = high;
    else if (place >= low) from = low;
    else break;
  }
  return values[place] ?? Infinity;
}

/** The order in which alike tasks get their nodes. */
export const compareTasks = (a: TaskObject, b: TaskObject): number => turn(a) - turn(b) || (a.id < b.id ? -1 : 1);

/** Slots are far below 2^32. */
const turn = ({ desiredState, slot }: TaskObject): number => (desiredState === 'ready' ? 2 ** 32 : 0) + slot;
