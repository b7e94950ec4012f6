/** Requests and connections under way to one task, from this node. */
export class InFlightCounter {
  readonly taskId: string;
  /** Invariant: never negative. */
  count = 0;
  /** Whether the manager waits for it: its task is draining, or no longer in the table. */
  watched: boolean;

  constructor(taskId: string, watched: boolean) {
    this.taskId = taskId;
    this.watched = watched;
  }
}

/**
 * What is under way, by task. Counting is two additions per request; only watched counters (few,
 * and falling) cause reports.
 */
export class InFlight {
  readonly #counters = new Map<string, InFlightCounter>();
  readonly #onWatchedChange: () => void;
  #active: ReadonlySet<string> = new Set();

  constructor(onWatchedChange: () => void) {
    this.#onWatchedChange = onWatchedChange;
  }

  /** Registers one more. Each call is matched by exactly one `leave` of the counter returned. */
  enter(taskId: string): InFlightCounter {
    let counter = this.#counters.get(taskId);
    if (counter === undefined) {
      counter = new InFlightCounter(taskId, !this.#active.has(taskId));
      this.#counters.set(taskId, counter);
    }
    counter.count += 1;
    if (counter.watched) this.#onWatchedChange();
    return counter;
  }

  leave(counter: InFlightCounter): void {
    counter.count -= 1;
    if (counter.watched) this.#onWatchedChange();
  }

  /** After a new table: all tasks but those active in it are watched; idle counters are dropped. */
  watchAllBut(active: ReadonlySet<string>): void {
    this.#active = active;
    for (const counter of this.#counters.values()) {
      counter.watched = !active.has(counter.taskId);
      if (counter.count === 0) this.#counters.delete(counter.taskId);
    }
  }

  /** Counts of the watched tasks that have any. */
  watched(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { taskId, watched, count } of this.#counters.values()) if (watched && count > 0) counts[taskId] = count;
    return counts;
  }

  /** What is under way to one task, from here. */
  of(taskId: string): number {
    return this.#counters.get(taskId)?.count ?? 0;
  }

  /** All that is under way. */
  total(): number {
    let total = 0;
    for (const { count } of this.#counters.values()) total += count;
    return total;
  }
}
