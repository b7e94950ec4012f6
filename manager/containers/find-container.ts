import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import { taskName } from '../api/task-document.js';
import type { TaskObject } from '../store/objects.js';
import type { View } from '../store/store-types.js';

/** How a task's container may be named, from the most to the least exact. */
export type NamedBy =
  /** By the Engine's id of the container, all of it or its beginning. */
  | 'container-id'
  /** By the name that the container has on its Engine: `web.3.<task id>`. */
  | 'name'
  /** bale's short forms, which no Engine knows: `web.3`, `agent.<node>`, `web.3.<beginning of the task id>`. */
  | 'slot'
  /** By the id of the task, all of it or its beginning. */
  | 'task-id';

export type ContainerMatch =
  | { readonly kind: 'none' }
  | { readonly kind: 'task'; readonly task: TaskObject; readonly by: NamedBy }
  | { readonly kind: 'ambiguous'; readonly names: readonly string[] };

export type ContainerReads = Pick<
  View,
  'get' | 'all' | 'serviceByName' | 'tasksBySlot' | 'tasksByService' | 'nodesByHostname'
>;

/**
 * The shortest beginning of an id that stands for a container of the cluster: what docker prints. Shorter
 * ones would catch words: there are always containers whose ids begin with `db`, `cafe` or `ada`.
 */
const SHORT_ID = 12;
const WHOLE_TASK_ID = 25;

/**
 * Which task's container a client of the Engine API means by `reference`. `byContainerId` gives the ids
 * of the tasks whose container ids begin with a text. Constant time, but for beginnings of ids.
 */
export function findContainer(
  reference: string,
  view: ContainerReads,
  byContainerId: (beginning: string) => readonly string[],
): ContainerMatch {
  if (reference.includes('.')) return byPlace(reference, view);
  if (reference.length < SHORT_ID || !/^[0-9a-z]+$/.test(reference)) return { kind: 'none' };
  if (/^[0-9a-f]{12,64}$/.test(reference)) {
    const tasks = byContainerId(reference).flatMap((id) => view.get('task', id) ?? []);
    if (tasks.length > 0) return oneOf(tasks, 'container-id');
  }
  return oneOf(tasksFrom(view, reference), 'task-id');
}

/** `service.place` and `service.place.task`, where the place is a slot, or the node of a global service's task. */
function byPlace(reference: string, view: ContainerReads): ContainerMatch {
  const lastDot = reference.lastIndexOf('.');
  const taskId = reference.slice(lastDot + 1);
  const named = view.get('task', taskId);
  if (named !== undefined) return taskName(named) === reference ? oneOf([named], 'name') : { kind: 'none' };

  const firstDot = reference.indexOf('.');
  const service = view.serviceByName(reference.slice(0, firstDot));
  if (service === undefined) return { kind: 'none' };
  const place = reference.slice(firstDot + 1);
  const there = tasksAt(view, service.id, place);
  if (there.length > 0) return bestOf(there);
  // A hostname may hold dots itself, so the last part is taken for the beginning of a task id only now.
  if (lastDot === firstDot || taskId === '') return { kind: 'none' };
  const others = tasksAt(view, service.id, reference.slice(firstDot + 1, lastDot));
  return oneOf(
    others.filter(({ id }) => id.startsWith(taskId)),
    'slot',
  );
}

function tasksAt(view: ContainerReads, serviceId: string, place: string): readonly TaskObject[] {
  if (/^[1-9]\d{0,9}$/.test(place)) {
    const slot = view.tasksBySlot(serviceId, Number(place)).filter(({ pinnedTo }) => pinnedTo === undefined);
    if (slot.length > 0) return slot;
  }
  const nodes = view.get('node', place) === undefined ? view.nodesByHostname(place).map(({ id }) => id) : [place];
  if (nodes.length === 0) return [];
  return view.tasksByService(serviceId).filter(({ pinnedTo }) => pinnedTo !== undefined && nodes.includes(pinnedTo));
}

/** A place holds the tasks of its history too: the one that serves is meant, else the newest. */
function bestOf(tasks: readonly TaskObject[]): ContainerMatch {
  const nodes = new Set(tasks.map(({ pinnedTo }) => pinnedTo));
  if (nodes.size > 1) return ambiguous(tasks);
  const best = tasks.reduce((found, task) => {
    const difference = standing(task) - standing(found) || task.createdAt - found.createdAt;
    return difference > 0 ? task : found;
  });
  return { kind: 'task', task: best, by: 'slot' };
}

function standing(task: TaskObject): number {
  const { State: state, ContainerStatus: container } = task.status;
  if (isTerminal(state)) return 0;
  if (container === undefined) return 1;
  if (state !== 'running') return 2;
  return isDesiredAlive(task.desiredState) && task.draining === undefined ? 4 : 3;
}

function oneOf(tasks: readonly TaskObject[], by: NamedBy): ContainerMatch {
  const [task] = tasks;
  if (task === undefined) return { kind: 'none' };
  return tasks.length === 1 ? { kind: 'task', task, by } : ambiguous(tasks);
}

const SHOWN = 3;

const ambiguous = (tasks: readonly TaskObject[]): ContainerMatch => ({
  kind: 'ambiguous',
  names: tasks.slice(0, SHOWN).map(taskName),
});

/** Tasks whose ids begin with `beginning`; all of them stand in order of id. */
function tasksFrom(view: ContainerReads, beginning: string): readonly TaskObject[] {
  if (beginning.length > WHOLE_TASK_ID) return [];
  const whole = view.get('task', beginning);
  if (whole !== undefined) return [whole];
  const all = view.all('task');
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((all[middle]?.id ?? '') < beginning) low = middle + 1;
    else high = middle;
  }
  const found: TaskObject[] = [];
  for (let at = low; all[at]?.id.startsWith(beginning) === true; at += 1) found.push(...all.slice(at, at + 1));
  return found;
}
