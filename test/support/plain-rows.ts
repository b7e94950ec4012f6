import type { PassRows } from '../../manager/scheduler/scheduling-pass.js';
import type { NodeObject, TaskObject } from '../../manager/store/objects.js';

/** The rows of a swarm in memory, without a journal: what a pass of the scheduler reads and writes. */
export class PlainRows implements PassRows {
  readonly now = 0;
  nodes: readonly NodeObject[];
  readonly #tasks = new Map<string, TaskObject>();

  /** `nodes` in the order of their ids. */
  constructor(nodes: readonly NodeObject[], tasks: readonly TaskObject[]) {
    this.nodes = nodes;
    for (const task of tasks) this.#tasks.set(task.id, task);
  }

  task(id: string): TaskObject | undefined {
    return this.#tasks.get(id);
  }

  tasks(): readonly TaskObject[] {
    return [...this.#tasks.values()];
  }

  get: PassRows['get'] = (table, id) => {
    // Passes ask for tasks only, which the compiler cannot see through the type of the table's name.
    return (table === 'task' ? this.#tasks.get(id) : undefined) as ReturnType<typeof this.get<typeof table>>;
  };

  all: PassRows['all'] = (table) =>
    // As above: passes list nodes only.
    (table === 'node' ? this.nodes : []) as ReturnType<typeof this.all<typeof table>>;

  tasksBySlot(serviceId: string, slot: number): readonly TaskObject[] {
    return this.tasks().filter((task) => task.serviceId === serviceId && task.slot === slot);
  }

  put: PassRows['put'] = (_table, row) => {
    if (isTask(row)) this.#tasks.set(row.id, row);
  };
}

/** What a pass writes is a row that it read with some fields changed, so those of the store are there. */
const isTask = (row: object): row is TaskObject => 'serviceId' in row && 'version' in row;
