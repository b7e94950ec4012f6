/** Each bucket reaches 2 % further than the one before; the first ends at FIRST ms. */
const GROWTH = Math.log(1.02);
const FIRST = 0.05;

/** Latencies in ms, in buckets 2 % wide, so that a run of any length takes the same memory. */
export class Latencies {
  readonly #buckets: number[];
  worst: number;

  constructor(buckets: readonly number[] = [], worst = 0) {
    this.#buckets = [...buckets];
    this.worst = worst;
  }

  add(ms: number): void {
    const index = ms <= FIRST ? 0 : Math.ceil(Math.log(ms / FIRST) / GROWTH);
    while (this.#buckets.length <= index) this.#buckets.push(0);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.worst = Math.max(this.worst, ms);
  }

  merge(other: Latencies): void {
    other.#buckets.forEach((count, index) => {
      while (this.#buckets.length <= index) this.#buckets.push(0);
      this.#buckets[index] = (this.#buckets[index] ?? 0) + count;
    });
    this.worst = Math.max(this.worst, other.worst);
  }

  get count(): number {
    return this.#buckets.reduce((sum, count) => sum + count, 0);
  }

  /** The latency that a share of all (0 to 1) did not exceed, up to 2 % too high; 0 when there were none. */
  percentile(share: number): number {
    let left = Math.ceil(this.count * share);
    for (const [index, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return Math.min(this.worst, FIRST * Math.exp(GROWTH * index));
    }
    return this.worst;
  }

  /** What a process can tell another. */
  toData(): { readonly buckets: readonly number[]; readonly worst: number } {
    return { buckets: this.#buckets, worst: this.worst };
  }
}
