/**
 * How long a port that refused is taken to refuse, unless a socket is seen on it before, ms. A kernel
 * tells a peer of six refusals, then of one a second (icmp_ratelimit, icmp(7)): whoever asks more
 * often hears nothing, neither an answer nor a refusal.
 */
const REFUSAL = 2_000;
/** ms between two looks for a socket. */
const LOOK_PERIOD = 20;

interface Refusal {
  /** ms since the epoch. */
  readonly until: number;
  lookedAt: number;
}

/** The udp ports of containers that are known to refuse, so that no datagram is spent on them. */
export class UdpRefusals {
  readonly #refusals = new Map<string, Refusal>();

  refused(key: string, now: number): void {
    this.#refusals.set(key, { until: now + REFUSAL, lookedAt: now });
  }

  answered(key: string): void {
    if (this.#refusals.size > 0) this.#refusals.delete(key);
  }

  /** Whether it would still refuse. `listens` looks at the container. */
  refuses(key: string, now: number, listens: () => boolean): boolean {
    const refusal = this.#refusals.get(key);
    if (refusal === undefined) return false;
    if (now < refusal.until) {
      if (now - refusal.lookedAt < LOOK_PERIOD) return true;
      refusal.lookedAt = now;
      if (!listens()) return true;
    }
    this.#refusals.delete(key);
    return false;
  }

  /** Forgets all but those that are kept. */
  keepOnly(isKept: (key: string) => boolean): void {
    for (const key of this.#refusals.keys()) if (!isKept(key)) this.#refusals.delete(key);
  }
}
