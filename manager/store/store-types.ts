import type { Change } from './journal.js';
import type { NodeObject, ServiceObject, StoredObject, TableName, Tables, TaskObject } from './objects.js';

/** A row as a transaction writes it: the store sets version and times. */
export type Draft<T extends StoredObject> = Omit<T, 'version' | 'createdAt' | 'updatedAt'>;

/** Reads. Within a transaction they see its own writes. Iteration order is by id. */
export interface View {
  /** The store index this view is of; within a transaction the one its writes will carry. */
  readonly index: number;
  get<Name extends TableName>(table: Name, id: string): Tables[Name] | undefined;
  all<Name extends TableName>(table: Name): readonly Tables[Name][];
  count(table: TableName): number;
  serviceByName(name: string): ServiceObject | undefined;
  tasksByService(serviceId: string): readonly TaskObject[];
  tasksByNode(nodeId: string): readonly TaskObject[];
  tasksBySlot(serviceId: string, slot: number): readonly TaskObject[];
  /** Tasks that no node was chosen for, that shall live and have not ended. */
  unassignedTasks(): readonly TaskObject[];
  nodesByHostname(hostname: string): readonly NodeObject[];
}

export interface Transaction extends View {
  /** `ms` at the start of the body, for decisions in it. */
  readonly now: number;
  /**
   * Writes a row. `version` and `updatedAt` move when `spec` is another object than the stored one
   * (or the row is new); a row whose every field is the same object is not a change.
   */
  put<Name extends TableName>(table: Name, row: Draft<Tables[Name]>): void;
  delete(table: TableName, id: string): void;
}

/** What watchers see: the changes of one durable append, with what was there before. */
export interface Commit {
  readonly index: number;
  readonly changes: readonly CommittedChange[];
}

export type CommittedChange = {
  readonly [Name in TableName]: {
    readonly table: Name;
    readonly id: string;
    readonly before?: Tables[Name];
    readonly after?: Tables[Name];
  };
}[TableName];

export interface Store {
  /** The committed state, as of now; a snapshot only for the current turn of the event loop. */
  readonly view: View;
  /**
   * Runs `body` synchronously in a transaction. Resolves with its result once the changes are
   * durable; rejects with what `body` throws, and then none of its writes happened.
   * A body without writes resolves without an append, after every earlier transaction is durable.
   */
  update<T>(body: (tx: Transaction) => T): Promise<T>;
  /** Calls `listener` after each commit, in order. The returned function unsubscribes. */
  watch(listener: (commit: Commit) => void): () => void;
  /** Resolves with the cause when the journal failed: the process must end then. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
}

export type { Change };
