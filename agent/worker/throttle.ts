import type { Clock } from '../../core/clock.js';

/** Tells the latest value at most once a period (ms), the first a period after it was made; none is held back for ever. */
export class Throttle<T> {
  readonly #clock: Clock;
  readonly #period: number;
  readonly #tell: (value: T) => void;
  #latest: T | undefined;
  #toldAt: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, period: number, tell: (value: T) => void) {
    this.#clock = clock;
    this.#period = period;
    this.#tell = tell;
    this.#toldAt = clock.now();
  }

  readonly put = (value: T): void => {
    this.#latest = value;
    this.#cancel ??= this.#clock.schedule(Math.max(0, this.#toldAt + this.#period - this.#clock.now()), () => {
      this.#cancel = undefined;
      this.#toldAt = this.#clock.now();
      if (this.#latest !== undefined) this.#tell(this.#latest);
    });
  };

  /** What was not told yet never will be. */
  close(): void {
    this.#cancel?.();
    this.#latest = undefined;
  }
}
