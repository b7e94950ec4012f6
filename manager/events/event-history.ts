import type { Clock } from '../../core/clock.js';
import type { Commit, Store, View } from '../store/store-types.js';
import type { ClusterEvent, EventDraft, EventFeed } from './cluster-event.js';
import { describeCommit } from './describe-commit.js';

/** Events of services, nodes, secrets and configs that are remembered. */
export const OBJECTS_KEPT = 1_000;
/** Of tasks, which are far more: they must not push the others out. */
export const TASKS_KEPT = 4_000;
/** Listeners are told so many at once: other work gets its turn in between, however many tasks a commit changed. */
const TOLD_AT_ONCE = 200;

/** Follows the store from its first commit on and remembers the newest events. Memory is bounded by the two numbers. */
export class EventHistory implements EventFeed {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #objects = new Ring(OBJECTS_KEPT);
  readonly #tasks = new Ring(TASKS_KEPT);
  readonly #listeners = new Set<(events: readonly ClusterEvent[]) => void>();
  readonly #unsubscribe: () => void;
  /** Came since the listeners were last told. */
  #fresh: ClusterEvent[] = [];
  #count = 0;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#unsubscribe = store.watch((commit) => {
      this.#take(commit);
    });
  }

  past(): readonly ClusterEvent[] {
    return [...this.#objects.list(), ...this.#tasks.list()].sort((a, b) => a.number - b.number);
  }

  subscribe(listener: (events: readonly ClusterEvent[]) => void): () => void {
    // What waits to be told belongs to the past of a listener that comes now.
    const after = this.#count;
    const own = (events: readonly ClusterEvent[]): void => {
      const first = events[0];
      if (first === undefined) return;
      listener(first.number > after ? events : events.filter(({ number }) => number > after));
    };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  close(): Promise<void> {
    this.#unsubscribe();
    this.#listeners.clear();
    return Promise.resolve();
  }

  #take({ changes }: Commit): void {
    const time = this.#clock.now();
    for (const draft of describeCommit(changes, surroundings(this.#store.view))) this.#add(draft, time);
  }

  #add(draft: EventDraft, time: number): void {
    this.#count += 1;
    const event: ClusterEvent = { ...draft, time, number: this.#count };
    (event.type === 'task' ? this.#tasks : this.#objects).add(event);
    if (this.#listeners.size === 0) return;
    this.#fresh.push(event);
    if (this.#fresh.length === 1) this.#tellSoon();
  }

  /** Outside of the commit, so that who listens slows no change. */
  #tellSoon(): void {
    setImmediate(() => {
      const events = this.#fresh.slice(0, TOLD_AT_ONCE);
      this.#fresh = this.#fresh.slice(TOLD_AT_ONCE);
      if (this.#fresh.length > 0) this.#tellSoon();
      for (const listener of this.#listeners) listener(events);
    });
  }
}

const surroundings = (view: View): Parameters<typeof describeCommit>[1] => ({
  isNameLeft: (kind, name) => view.all(kind).some(({ spec }) => spec.Name === name),
  hostnameOf: (id) => view.get('node', id)?.description?.Hostname,
});

/** The newest `size` events. */
class Ring {
  readonly #size: number;
  readonly #events: ClusterEvent[] = [];
  /** Where the next one goes once the ring is full. */
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(event: ClusterEvent): void {
    this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % this.#size;
  }

  list(): readonly ClusterEvent[] {
    return this.#events;
  }
}
