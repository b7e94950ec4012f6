import { backoffDelay, type BackoffPolicy } from './backoff.js';
import type { Clock } from './clock.js';
import { errorMessage, isAbortError } from './errors.js';
import type { Logger } from './logger.js';

const RETRY: BackoffPolicy = { initial: 50, max: 5_000 };

export interface ControlLoopOptions<Key> {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Decides and applies for a set of dirty keys. A key that must be looked at again later is marked by `markAt`. */
  readonly run: (keys: readonly Key[], signal: AbortSignal) => Promise<void>;
  /** How long marks gather before a run, ms; 0 = until the end of the current turn. */
  readonly settle?: number;
  /** The most keys of one run; the rest wait for the next. Bounds the work between two turns of the event loop. */
  readonly limit?: number;
}

/**
 * Keeps a set of dirty keys and runs `run` for them, one run at a time.
 *
 * Invariants: no two runs overlap; a key marked during a run is run again; a failed run marks its
 * keys again after a growing delay, so that no mark is ever lost.
 */
export class ControlLoop<Key> {
  readonly #options: ControlLoopOptions<Key>;
  readonly #abort = new AbortController();
  readonly #dirty = new Set<Key>();
  /** Earliest wake-up per key; one timer each. */
  readonly #wakeUps = new Map<Key, { readonly at: number; readonly cancel: () => void }>();
  #scheduled: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(options: ControlLoopOptions<Key>) {
    this.#options = options;
  }

  /** Asks for a run that includes `key`. */
  mark(key: Key): void {
    if (this.#abort.signal.aborted) return;
    this.#dirty.add(key);
    this.#plan(this.#options.settle ?? 0);
  }

  /** Asks for a run that includes `key` at time `at` (ms since the epoch); the earliest of several wins. */
  markAt(key: Key, at: number): void {
    if (this.#abort.signal.aborted) return;
    const known = this.#wakeUps.get(key);
    if (known !== undefined && known.at <= at) return;
    known?.cancel();
    const cancel = this.#options.clock.schedule(Math.max(0, at - this.#options.clock.now()), () => {
      this.#wakeUps.delete(key);
      this.mark(key);
    });
    this.#wakeUps.set(key, { at, cancel });
  }

  /** Stops: pending marks are dropped, the run under way is aborted and waited for. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#scheduled?.();
    for (const { cancel } of this.#wakeUps.values()) cancel();
    this.#wakeUps.clear();
    this.#dirty.clear();
    await this.#running;
  }

  #plan(delay: number): void {
    if (this.#scheduled !== undefined || this.#running !== undefined) return;
    this.#scheduled = this.#options.clock.schedule(delay, () => {
      this.#scheduled = undefined;
      this.#running = this.#runOnce().finally(() => {
        this.#running = undefined;
        if (this.#dirty.size > 0 && !this.#abort.signal.aborted) {
          this.#plan(this.#failures > 0 ? backoffDelay(RETRY, this.#failures - 1) : 0);
        }
      });
    });
  }

  async #runOnce(): Promise<void> {
    const keys = [...this.#dirty].slice(0, this.#options.limit ?? this.#dirty.size);
    for (const key of keys) this.#dirty.delete(key);
    try {
      await this.#options.run(keys, this.#abort.signal);
      this.#failures = 0;
    } catch (error) {
      if (this.#abort.signal.aborted || isAbortError(error)) return;
      this.#failures += 1;
      this.#options.logger.error(
        { loop: this.#options.name, err: errorMessage(error) },
        'control loop failed; it will try again',
      );
      for (const key of keys) this.#dirty.add(key);
    }
  }
}
