import type { NodeObject, ServiceObject, TableName, Tables, TaskObject } from '../../manager/store/objects.js';
import type { View } from '../../manager/store/store-types.js';

/**
 * A view that counts how often a field of a row is read, as a measure of work that is the same on each
 * machine: who goes over rows for each row reads quadratically often, whichever arrays it makes of them.
 */
export class CountedView implements View {
  reads = 0;
  readonly #view: View;
  /** One stand-in for each row, so that a row stays the same object. */
  readonly #standIns = new WeakMap<object, object>();

  constructor(view: View) {
    this.#view = view;
  }

  get index(): number {
    return this.#view.index;
  }

  get<Name extends TableName>(table: Name, id: string): Tables[Name] | undefined {
    const row = this.#view.get(table, id);
    return row === undefined ? undefined : this.#count(row);
  }

  all<Name extends TableName>(table: Name): readonly Tables[Name][] {
    return this.#view.all(table).map((row) => this.#count(row));
  }

  count(table: TableName): number {
    return this.#view.count(table);
  }

  serviceByName(name: string): ServiceObject | undefined {
    const service = this.#view.serviceByName(name);
    return service === undefined ? undefined : this.#count(service);
  }

  tasksByService(serviceId: string): readonly TaskObject[] {
    return this.#view.tasksByService(serviceId).map((task) => this.#count(task));
  }

  tasksByNode(nodeId: string): readonly TaskObject[] {
    return this.#view.tasksByNode(nodeId).map((task) => this.#count(task));
  }

  tasksBySlot(serviceId: string, slot: number): readonly TaskObject[] {
    return this.#view.tasksBySlot(serviceId, slot).map((task) => this.#count(task));
  }

  unassignedTasks(): readonly TaskObject[] {
    return this.#view.unassignedTasks().map((task) => this.#count(task));
  }

  nodesByHostname(hostname: string): readonly NodeObject[] {
    return this.#view.nodesByHostname(hostname).map((node) => this.#count(node));
  }

  #count<Row extends object>(row: Row): Row {
    const known = this.#standIns.get(row);
    if (known !== undefined) return known as Row; // Made of this very row.
    const standIn = new Proxy(row, {
      get: (target, key, receiver): unknown => {
        this.reads += 1;
        return Reflect.get(target, key, receiver);
      },
    });
    this.#standIns.set(row, standIn);
    return standIn;
  }
}
