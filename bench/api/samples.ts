/** Times of one thing, ms. */
export class Samples {
  readonly #all: number[] = [];
  /** What the daemon computed for all of them, ms; absent: not measured. */
  processorTime: number | undefined;

  add(ms: number): void {
    this.#all.push(ms);
  }

  get count(): number {
    return this.#all.length;
  }

  /** Of fewer than a hundred times the 0.99 is the worst. */
  at(part: number): number {
    const sorted = [...this.#all].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
  }

  text(): string {
    const computed = this.processorTime;
    const each = computed === undefined ? '' : `   processor time ${milliseconds(computed / this.count)} each`;
    return `median ${milliseconds(this.at(0.5))}   p99 ${milliseconds(this.at(0.99))}${each}   (${this.count})`;
  }
}

const milliseconds = (value: number): string => `${value.toFixed(1).padStart(7)} ms`;
