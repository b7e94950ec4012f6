import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import type { NodeObject, ServiceObject, TableName, Tables, TaskObject } from './objects.js';
import type { View } from './store-types.js';
import { Index, Table } from './table.js';

type TableSet = { readonly [Name in TableName]: Table<Tables[Name]> };

const slotKey = (serviceId: string, slot: number): string => `${serviceId}.${slot}`;

/** A task that waits for a node: none was chosen, it shall live, and it has not failed before it got one. */
const isUnassigned = (task: TaskObject): boolean =>
  task.nodeId === undefined && isDesiredAlive(task.desiredState) && !isTerminal(task.status.State);

const UNASSIGNED = 'unassigned';

/** All tables and their indexes at one moment. */
export class State implements View {
  #index = 0;
  readonly #serviceByName = new Index<ServiceObject>((service) => service.spec.Name);
  readonly #nodesByHostname = new Index<NodeObject>((node) => node.description?.Hostname);
  readonly #tasksByService = new Index<TaskObject>((task) => task.serviceId);
  readonly #tasksByNode = new Index<TaskObject>((task) => task.nodeId);
  readonly #tasksBySlot = new Index<TaskObject>((task) => slotKey(task.serviceId, task.slot));
  readonly #unassigned = new Index<TaskObject>((task) => (isUnassigned(task) ? UNASSIGNED : undefined));
  readonly #tables: TableSet = {
    cluster: new Table([]),
    node: new Table([this.#nodesByHostname]),
    service: new Table([this.#serviceByName]),
    task: new Table([this.#tasksByService, this.#tasksByNode, this.#tasksBySlot, this.#unassigned]),
    secret: new Table([]),
    config: new Table([]),
    audit: new Table([]),
  };

  get index(): number {
    return this.#index;
  }

  /** Moves on to `index`; it never goes back. */
  advanceTo(index: number): void {
    this.#index = index;
  }

  /** Writes a row, or removes it when `row` is undefined. */
  set<Name extends TableName>(table: Name, id: string, row: Tables[Name] | undefined): void {
    this.#tables[table].set(id, row);
  }

  get<Name extends TableName>(table: Name, id: string): Tables[Name] | undefined {
    return this.#tables[table].get(id);
  }

  all<Name extends TableName>(table: Name): readonly Tables[Name][] {
    return this.#tables[table].all();
  }

  count(table: TableName): number {
    return this.#tables[table].size;
  }

  serviceByName(name: string): ServiceObject | undefined {
    return this.#serviceByName.list(name)[0];
  }

  tasksByService(serviceId: string): readonly TaskObject[] {
    return this.#tasksByService.list(serviceId);
  }

  tasksByNode(nodeId: string): readonly TaskObject[] {
    return this.#tasksByNode.list(nodeId);
  }

  tasksBySlot(serviceId: string, slot: number): readonly TaskObject[] {
    return this.#tasksBySlot.list(slotKey(serviceId, slot));
  }

  unassignedTasks(): readonly TaskObject[] {
    return this.#unassigned.list(UNASSIGNED);
  }

  nodesByHostname(hostname: string): readonly NodeObject[] {
    return this.#nodesByHostname.list(hostname);
  }
}
