import type { Clock } from '../../core/clock.js';

/** ms between two looks at the clock. */
const TICK = 250;
/** The most that may pass between two looks, ms; what is beyond was a stall of this process, or a clock that was set. */
const LONGEST_STEP = 500;

/**
 * Time as this process lived it: it stands still while the process is stalled or paused, and does
 * not jump when the clock of the machine is set. Silence measured on it is silence of the other
 * side, never our own deafness.
 */
export class AwakeClock {
  readonly #clock: Clock;
  /** Awake time at `#seen`. */
  #base = 0;
  /** Time of the clock at the last look. */
  #seen: number;
  #cancel: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#seen = clock.now();
    this.#cancel = this.#schedule();
  }

  /** ms since this clock was made. */
  now(): number {
    this.#look();
    return this.#base;
  }

  close(): void {
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#clock.schedule(TICK, () => {
      this.#look();
      this.#cancel = this.#schedule();
    });
  }

  #look(): void {
    const seen = this.#clock.now();
    this.#base += Math.min(Math.max(0, seen - this.#seen), LONGEST_STEP);
    this.#seen = seen;
  }
}
