import type { Clock } from '../../core/clock.js';

/** Lets a loop sleep until something happens. What happens while it does not sleep is not lost. */
export class Wake {
  readonly #clock: Clock;
  #isDue = false;
  #rouse: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly now = (): void => {
    this.#isDue = true;
    this.#rouse();
  };

  /** Resolves at the next `now`, one since the last sleep included, or after `ms`. */
  async sleep(ms: number): Promise<void> {
    if (!this.#isDue) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.schedule(ms, resolve);
        this.#rouse = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#isDue = false;
    this.#rouse = () => undefined;
  }
}
