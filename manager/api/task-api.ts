import type { TaskDocument } from '../../proto/engine/task-document.js';
import { TASK_STATE_ORDER } from '../../proto/engine/task-state.js';
import { finalWish } from '../drain/task-wish.js';
import { isUpToDate } from '../updater/effective-spec.js';
import type { TaskObject } from '../store/objects.js';
import type { Store, View } from '../store/store-types.js';
import { invalidFilter } from './api-errors.js';
import { acceptFilters, hasLabels, hasPrefix, isFiltering, isOneOf, valuesOf } from './filters.js';
import { findNode, findService, findTask } from './lookup.js';
import type { Filters, SwarmApi } from './swarm-api.js';
import { taskDocument, taskName } from './task-document.js';
import { taskList } from './task-list.js';

/** `_up-to-date` is not documented by the Engine; the progress bars of its CLI ask for it. */
const FILTERS = ['id', 'label', 'name', 'node', 'service', 'desired-state', 'runtime', '_up-to-date'];

/** `/tasks`. */
export class TaskApi implements Pick<SwarmApi, 'tasks' | 'taskList' | 'task'> {
  readonly #store: Store;

  readonly #drainReason: (task: TaskObject) => string;

  constructor(store: Store, drainReason: (task: TaskObject) => string) {
    this.#store = store;
    this.#drainReason = drainReason;
  }

  /** Throws BALE_NOT_FOUND (404) for a service or node of the filters that does not exist. */
  tasks(filters: Filters): readonly TaskDocument[] {
    return this.#matching(filters).map((task) => taskDocument(task, this.#drainReason));
  }

  /** Throws as `tasks` does, before there is a piece. */
  taskList(filters: Filters): Iterable<string> {
    return taskList(this.#matching(filters), this.#drainReason);
  }

  task(id: string): TaskDocument {
    return taskDocument(findTask(this.#store.view, id), this.#drainReason);
  }

  #matching(filters: Filters): readonly TaskObject[] {
    acceptFilters(filters, FILTERS);
    const { view } = this.#store;
    const services = valuesOf(filters, 'service').map((wanted) => findService(view, wanted).id);
    const nodes = valuesOf(filters, 'node').map((wanted) => findNode(view, wanted).id);
    const states = desiredStates(filters);
    const ids = valuesOf(filters, 'id');
    const names = valuesOf(filters, 'name');
    const labels = valuesOf(filters, 'label');
    const runtimes = valuesOf(filters, 'runtime');
    const current = valuesOf(filters, '_up-to-date').length > 0;
    const found = candidates(view, services, nodes);
    // Without a filter nobody looks at the rows: a list whose text is kept costs no more than to send it.
    if (!isFiltering(filters)) return found;
    return found.filter(
      (task) =>
        isOneOf(task.serviceId, services) &&
        (nodes.length === 0 || nodes.includes(task.nodeId ?? task.pinnedTo ?? '')) &&
        isOneOf(finalWish(task), states) &&
        hasPrefix(task.id, ids) &&
        (names.length === 0 || hasPrefix(taskName(task), names)) &&
        hasLabels(task.serviceLabels, labels) &&
        isOneOf(task.spec.Runtime ?? 'container', runtimes) &&
        (!current || isCurrent(task, view)),
    );
  }
}

function isCurrent(task: TaskObject, view: Pick<View, 'get'>): boolean {
  const service = view.get('service', task.serviceId);
  if (service?.job !== undefined) return task.jobIteration === service.job.iteration;
  const node = task.nodeId === undefined ? undefined : view.get('node', task.nodeId);
  // Who waits for the tasks of an update shall not wait for those that it passes by.
  if (task.pinnedTo !== undefined && view.get('node', task.pinnedTo)?.status.state !== 'ready') return false;
  return service !== undefined && isUpToDate(task, service, node);
}

/** The smallest set of tasks, in order of id, that the filters can match. */
function candidates(view: View, services: readonly string[], nodes: readonly string[]): readonly TaskObject[] {
  const [service] = services;
  const [node] = nodes;
  if (service !== undefined && services.length === 1) return view.tasksByService(service);
  if (node !== undefined && nodes.length === 1) return view.tasksByNode(node);
  return view.all('task');
}

function desiredStates(filters: Filters): readonly string[] {
  const wanted = valuesOf(filters, 'desired-state').filter((value) => value !== '');
  const unknown = wanted.find((value) => !Object.hasOwn(TASK_STATE_ORDER, value.toLowerCase()));
  if (unknown !== undefined) throw invalidFilter(`Invalid desired-state filter: '${unknown}'`);
  return wanted.map((value) => value.toLowerCase());
}
