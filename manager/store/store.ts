import type { Clock } from '../../core/clock.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { Batch, toJournal } from './batch.js';
import { deepFreeze } from './freeze.js';
import type { Journal } from './journal.js';
import { OpenTransaction } from './open-transaction.js';
import { SharedSpecs } from './shared-specs.js';
import { State } from './state.js';
import type { Commit, CommittedChange, Store, Transaction, View } from './store-types.js';

export interface StoreOptions {
  /** The store owns it from now on and closes it. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the loading. */
  readonly signal?: AbortSignal;
}

/** Loads the journal. Throws what the journal throws (a BaleError); the journal is closed then. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { journal, signal = new AbortController().signal } = options;
  try {
    const content = await journal.load(signal);
    const committed = new State();
    const tip = new State();
    const specs = new SharedSpecs();
    for (const object of content.objects) {
      const { table, id, value } = specs.share(object);
      deepFreeze(value);
      committed.set(table, id, value);
      tip.set(table, id, value);
    }
    committed.advanceTo(content.index);
    return new JournaledStore(options, committed, tip);
  } catch (error) {
    // What went wrong first is what the user must hear.
    await journal.close().catch(() => undefined);
    throw error;
  }
}

/** One call of `update`. */
interface Job {
  /** Runs the body and undoes its writes if it throws. */
  run(batch: Batch): void;
  /** Tells the caller how the body ended. */
  settle(): void;
  /** Tells the caller that the store failed, whatever the body said: it saw a state that never came to be. */
  fail(error: Error): void;
}

/**
 * Group commit: bodies wait while an append is under way, then all of them run and share the next one.
 *
 * Invariants: between two batches `tip` equals `committed`; at most one append is under way; the
 * committed state changes only by an append that succeeded; callers hear of a batch after the watchers.
 */
class JournaledStore implements Store {
  readonly failed: Promise<Error>;
  readonly #options: StoreOptions;
  /** What readers see. */
  readonly #committed: State;
  /** The committed state with the writes of the batch at hand. A second copy of the indexes buys plain reads in transactions. */
  readonly #tip: State;
  readonly #watchers = new Set<(commit: Commit) => void>();
  #queue: Job[] = [];
  #working: Promise<void> | undefined;
  #failure: BaleError | undefined;
  #closed: Promise<void> | undefined;
  readonly #reportFailure: (error: Error) => void;

  constructor(options: StoreOptions, committed: State, tip: State) {
    this.#options = options;
    this.#committed = committed;
    this.#tip = tip;
    let report: (error: Error) => void = () => undefined;
    this.failed = new Promise((resolve) => {
      report = resolve;
    });
    this.#reportFailure = report;
  }

  get view(): View {
    return this.#committed;
  }

  update<T>(body: (tx: Transaction) => T): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed !== undefined) return Promise.reject(closedError());
    return new Promise<T>((resolve, reject) => {
      let settle: () => void = () => undefined;
      this.#queue.push({
        run: (batch) => {
          const outcome = this.#run(body, batch);
          settle = () => {
            if ('error' in outcome) reject(outcome.error);
            else resolve(outcome.value);
          };
        },
        settle: () => {
          settle();
        },
        fail: reject,
      });
      this.#working ??= this.#work();
    });
  }

  watch(listener: (commit: Commit) => void): () => void {
    // Wrapped, so that one function subscribed twice is two subscriptions.
    const watcher = (commit: Commit): void => {
      listener(commit);
    };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    await this.#working;
    this.#watchers.clear();
    await this.#options.journal.close();
  }

  async #work(): Promise<void> {
    // Callers of the same turn of the event loop share the first append too.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#commitQueue();
    this.#working = undefined;
  }

  /** Runs every queued body and makes their changes durable in one append. Never rejects. */
  async #commitQueue(): Promise<void> {
    const jobs = this.#queue;
    this.#queue = [];
    const batch = new Batch();
    for (const job of jobs) job.run(batch);
    const changes = batch.changes(this.#committed, this.#tip);
    if (changes.length > 0) {
      const index = this.#committed.index + 1;
      try {
        await this.#options.journal.append(index, changes.map(toJournal));
      } catch (error) {
        this.#fail(jobs, error);
        return;
      }
      this.#publish({ index, changes });
    }
    for (const job of jobs) job.settle();
  }

  #run<T>(body: (tx: Transaction) => T, batch: Batch): { readonly value: T } | { readonly error: Error } {
    const index = this.#committed.index + 1;
    const tx = new OpenTransaction(this.#tip, index, this.#options.clock.now(), (table, id) => {
      batch.touch(table, id);
    });
    try {
      return { value: body(tx) };
    } catch (error) {
      tx.undo();
      return { error: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      tx.end();
    }
  }

  #publish(commit: Commit): void {
    for (const change of commit.changes) apply(this.#committed, change);
    this.#committed.advanceTo(commit.index);
    for (const watcher of [...this.#watchers]) {
      if (!this.#watchers.has(watcher)) continue;
      try {
        watcher(commit);
      } catch (error) {
        this.#options.logger.error({ err: errorMessage(error), index: commit.index }, 'a watcher of the store threw');
      }
    }
  }

  #fail(jobs: readonly Job[], cause: unknown): void {
    const failure = failedError(cause);
    this.#failure = failure;
    this.#options.logger.error({ err: errorMessage(cause) }, 'the store cannot be written; the manager must stop');
    for (const job of [...jobs, ...this.#queue]) job.fail(failure);
    this.#queue = [];
    this.#reportFailure(failure);
  }
}

const apply = (state: State, change: CommittedChange): void => {
  state.set(change.table, change.id, change.after);
};

const failedError = (cause: unknown): BaleError =>
  new BaleError(`the store could not be written, so nothing was changed: ${errorMessage(cause)}`, {
    kind: 'unavailable',
    code: 'BALE_STORE_FAILED',
    cause,
  });

const closedError = (): BaleError =>
  new BaleError('the store is closed: the manager is stopping', { kind: 'unavailable', code: 'BALE_STORE_CLOSED' });
