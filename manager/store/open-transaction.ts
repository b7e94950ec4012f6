import { BaleError } from '../../core/errors.js';
import { deepFreeze } from './freeze.js';
import type { NodeObject, ServiceObject, StoredObject, TableName, Tables, TaskObject } from './objects.js';
import type { State } from './state.js';
import type { Draft, Transaction } from './store-types.js';

/** Fields that the store sets; a draft may carry old ones along, they are not looked at. */
const STORE_FIELDS: ReadonlySet<string> = new Set(['version', 'createdAt', 'updatedAt']);

/**
 * A transaction while its body runs. It writes straight into `tip` and keeps what undoes it.
 *
 * Invariant: after `undo` the tip is as it was before the body began, indexes included.
 */
export class OpenTransaction implements Transaction {
  readonly now: number;
  /** The index its writes will carry: `version` of what it writes. */
  readonly index: number;
  readonly #tip: State;
  readonly #undo: (() => void)[] = [];
  readonly #touched: (table: TableName, id: string) => void;
  #open = true;

  /** `touched` is told of each row just before it is first or again written. */
  constructor(tip: State, index: number, now: number, touched: (table: TableName, id: string) => void) {
    this.#tip = tip;
    this.index = index;
    this.now = now;
    this.#touched = touched;
  }

  put<Name extends TableName>(table: Name, row: Draft<Tables[Name]>): void {
    this.#assertOpen();
    const before: Tables[Name] | undefined = this.#tip.get(table, row.id);
    if (before !== undefined && hasSameFields(before, row)) return;
    const kept = before?.spec === row.spec ? before : undefined;
    // Assigned, not spread: V8 gives each object that is spread and gets a field more a hidden class of its own,
    // and reading the fields of many such rows takes ten times as long.
    // The compiler cannot see that a draft and the three fields of the store make a whole row again.
    const after = Object.assign({}, row, {
      version: kept?.version ?? this.index,
      createdAt: before?.createdAt ?? this.now,
      updatedAt: kept?.updatedAt ?? this.now,
    }) as Tables[Name];
    deepFreeze(after);
    this.#write(table, row.id, before, after);
  }

  delete(table: TableName, id: string): void {
    this.#assertOpen();
    const before = this.#tip.get(table, id);
    if (before !== undefined) this.#write(table, id, before, undefined);
  }

  /** Ends the transaction; later writes through a leaked reference throw. */
  end(): void {
    this.#open = false;
  }

  undo(): void {
    for (const step of this.#undo.reverse()) step();
    this.#undo.length = 0;
  }

  #write<Name extends TableName>(
    table: Name,
    id: string,
    before: Tables[Name] | undefined,
    after: Tables[Name] | undefined,
  ): void {
    this.#touched(table, id);
    this.#undo.push(() => this.#tip.set(table, id, before));
    this.#tip.set(table, id, after);
  }

  #assertOpen(): void {
    if (this.#open) return;
    throw new BaleError('a transaction was written to after its body had returned; bodies must be synchronous', {
      kind: 'internal',
      code: 'BALE_STORE_TRANSACTION_OVER',
    });
  }

  get<Name extends TableName>(table: Name, id: string): Tables[Name] | undefined {
    return this.#tip.get(table, id);
  }

  all<Name extends TableName>(table: Name): readonly Tables[Name][] {
    return this.#tip.all(table);
  }

  count(table: TableName): number {
    return this.#tip.count(table);
  }

  serviceByName(name: string): ServiceObject | undefined {
    return this.#tip.serviceByName(name);
  }

  tasksByService(serviceId: string): readonly TaskObject[] {
    return this.#tip.tasksByService(serviceId);
  }

  tasksByNode(nodeId: string): readonly TaskObject[] {
    return this.#tip.tasksByNode(nodeId);
  }

  tasksBySlot(serviceId: string, slot: number): readonly TaskObject[] {
    return this.#tip.tasksBySlot(serviceId, slot);
  }

  unassignedTasks(): readonly TaskObject[] {
    return this.#tip.unassignedTasks();
  }

  nodesByHostname(hostname: string): readonly NodeObject[] {
    return this.#tip.nodesByHostname(hostname);
  }
}

/** Whether each field of `draft` is the same object (or value) as in `row`, and none is gone. */
function hasSameFields(row: StoredObject, draft: object): boolean {
  const values = new Map<string, unknown>(Object.entries(draft));
  for (const [name, value] of Object.entries(row)) {
    if (!STORE_FIELDS.has(name) && !Object.is(values.get(name), value)) return false;
    values.delete(name);
  }
  return values.size === 0;
}
