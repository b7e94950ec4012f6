import type { Clock } from '../../core/clock.js';

/** ms between two looks at the addresses of the machine, while some port asks for certain ones. */
const PERIOD = 2_000;

export interface AddressWatchOptions {
  readonly clock: Clock;
  readonly read: () => readonly string[];
  /** Called when the machine got or lost an address. */
  readonly onChange: () => void;
}

/** The addresses of this machine: one that moves between machines is served within seconds wherever it is. */
export class AddressWatch {
  readonly #options: AddressWatchOptions;
  #present: readonly string[] = [];
  #cancel: (() => void) | undefined;

  constructor(options: AddressWatchOptions) {
    this.#options = options;
  }

  get present(): readonly string[] {
    return this.#present;
  }

  /** Reads the addresses, and goes on looking; or stops where nobody needs them. */
  watch(isNeeded: boolean): void {
    this.close();
    if (!isNeeded) return;
    this.#present = this.#options.read();
    this.#cancel = this.#options.clock.schedule(PERIOD, this.#look);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #look = (): void => {
    const { clock, read, onChange } = this.#options;
    this.#cancel = clock.schedule(PERIOD, this.#look);
    const now = read();
    if (now.join() === this.#present.join()) return;
    this.#present = now;
    onChange();
  };
}
