export const REPLICAS = 6;

/** One change after the other, each timed under its name; the load notes the name of the present one. */
export interface Steps {
  step(name: string, change: () => Promise<unknown>): Promise<void>;
}

/** Steps with the time that each took. */
export class TimedSteps implements Steps {
  readonly #onStep: (name: string) => void;
  readonly #times = new Map<string, number[]>();

  constructor(onStep: (name: string) => void) {
    this.#onStep = onStep;
  }

  async step(name: string, change: () => Promise<unknown>): Promise<void> {
    this.#onStep(name);
    const start = performance.now();
    await change();
    const times = this.#times.get(name) ?? [];
    this.#times.set(name, [...times, performance.now() - start]);
  }

  /** Per name: `update 6.1 s`, or where it was done several times the median and the worst. */
  toString(): string {
    const seconds = (ms: number | undefined): string => `${((ms ?? 0) / 1000).toFixed(1)} s`;
    const parts = [...this.#times].map(([name, times]) => {
      const sorted = [...times].sort((a, b) => a - b);
      const median = seconds(sorted[Math.floor(sorted.length / 2)]);
      return sorted.length === 1 ? `${name} ${median}` : `${name} ${median} (worst ${seconds(sorted.at(-1))})`;
    });
    return parts.join(', ');
  }
}
