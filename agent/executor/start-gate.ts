import { abortError } from '../../core/abort.js';

interface Waiter {
  readonly enter: () => void;
}

/**
 * Lets at most `width` containers be created or started at once: an Engine does sixty at once no faster
 * than a few, and each takes longer. Starts go before creations, so that what was begun gets finished.
 */
export class StartGate {
  readonly #width: number;
  #inside = 0;
  readonly #starts: Waiter[] = [];
  readonly #creations: Waiter[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  /** Runs `work` inside. `signal` ends the wait before it, not the work. */
  async run<T>(kind: 'create' | 'start', signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#inside < this.#width) this.#inside += 1;
    else await this.#turn(kind === 'start' ? this.#starts : this.#creations, signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #turn(queue: Waiter[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(abortError());
      };
      const waiter: Waiter = {
        enter: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      queue.push(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Hands the place on to the next in line, so that none can slip in between. */
  #leave(): void {
    const next = this.#starts.shift() ?? this.#creations.shift();
    if (next === undefined) this.#inside -= 1;
    else next.enter();
  }
}
