/** How long an endpoint is passed over after its first refusal in a row, and at most, ms. */
const FIRST = 1_000;
const LONGEST = 10_000;

interface Ejection {
  /** ms since the epoch. */
  readonly until: number;
  readonly refusals: number;
}

/**
 * Passive health: endpoints that refused a dial are passed over for a moment, longer each time in a
 * row, so that not each connection pays for a dead one. A success clears it. Only a hint to the
 * picker, which uses an ejected endpoint when it has no other.
 */
export class Ejections {
  readonly #ejected = new Map<string, Ejection>();

  refused(key: string, now: number): void {
    const known = this.#ejected.get(key);
    // Dials under way at the same time fail together: they are one refusal.
    if (known !== undefined && known.until > now) return;
    const refusals = (known?.refusals ?? 0) + 1;
    this.#ejected.set(key, { until: now + Math.min(LONGEST, FIRST * 2 ** (refusals - 1)), refusals });
  }

  connected(key: string): void {
    if (this.#ejected.size > 0) this.#ejected.delete(key);
  }

  isEjected(key: string, now: number): boolean {
    if (this.#ejected.size === 0) return false;
    const known = this.#ejected.get(key);
    return known !== undefined && known.until > now;
  }

  /** Forgets all but the endpoints named. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#ejected.keys()) if (!keys.has(key)) this.#ejected.delete(key);
  }

  get size(): number {
    return this.#ejected.size;
  }
}
