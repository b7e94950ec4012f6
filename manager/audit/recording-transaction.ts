import { netChange } from '../store/net-change.js';
import type { NodeObject, ServiceObject, TableName, Tables, TaskObject } from '../store/objects.js';
import type { CommittedChange, Draft, Transaction } from '../store/store-types.js';

/** A transaction that remembers what each row was before it was first written. */
export class RecordingTransaction implements Transaction {
  readonly #tx: Transaction;
  readonly #touched = new Map<
    string,
    { readonly table: TableName; readonly id: string; readonly before: object | undefined }
  >();

  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  get now(): number {
    return this.#tx.now;
  }

  get index(): number {
    return this.#tx.index;
  }

  /** The net change of each row written so far, in the order in which they were first written. */
  changes(): readonly CommittedChange[] {
    return [...this.#touched.values()].flatMap(({ table, id, before }) =>
      netChange(table, id, before, this.#tx.get(table, id)),
    );
  }

  put<Name extends TableName>(table: Name, row: Draft<Tables[Name]>): void {
    this.#touch(table, row.id);
    this.#tx.put(table, row);
  }

  delete(table: TableName, id: string): void {
    this.#touch(table, id);
    this.#tx.delete(table, id);
  }

  #touch(table: TableName, id: string): void {
    const key = `${table}!${id}`;
    if (!this.#touched.has(key)) this.#touched.set(key, { table, id, before: this.#tx.get(table, id) });
  }

  get<Name extends TableName>(table: Name, id: string): Tables[Name] | undefined {
    return this.#tx.get(table, id);
  }

  all<Name extends TableName>(table: Name): readonly Tables[Name][] {
    return this.#tx.all(table);
  }

  count(table: TableName): number {
    return this.#tx.count(table);
  }

  serviceByName(name: string): ServiceObject | undefined {
    return this.#tx.serviceByName(name);
  }

  tasksByService(serviceId: string): readonly TaskObject[] {
    return this.#tx.tasksByService(serviceId);
  }

  tasksByNode(nodeId: string): readonly TaskObject[] {
    return this.#tx.tasksByNode(nodeId);
  }

  tasksBySlot(serviceId: string, slot: number): readonly TaskObject[] {
    return this.#tx.tasksBySlot(serviceId, slot);
  }

  unassignedTasks(): readonly TaskObject[] {
    return this.#tx.unassignedTasks();
  }

  nodesByHostname(hostname: string): readonly NodeObject[] {
    return this.#tx.nodesByHostname(hostname);
  }
}
