import type { Upstream } from './upstream.js';

/** Shorter than the idle time after which common servers close, ms. */
const LONGEST_IDLE = 4_000;
const MOST_PER_ENDPOINT = 64;
const MOST = 1_024;
const SWEEP_PERIOD = 1_000;

/**
 * Idle connections to endpoints, for requests that may be repeated. The last one used is taken first.
 * An idle connection does not count as in flight.
 */
export class UpstreamPool {
  readonly #idle = new Map<string, Upstream[]>();
  /** Endpoints to which connections are kept. */
  #wanted: ReadonlySet<string> = new Set();
  #count = 0;
  #sweeper: NodeJS.Timeout | undefined;

  /** An idle connection to the endpoint of this key, now busy. */
  take(key: string): Upstream | undefined {
    const idle = this.#idle.get(key);
    if (idle === undefined) return undefined;
    for (let upstream = idle.pop(); upstream !== undefined; upstream = idle.pop()) {
      this.#count -= 1;
      if (upstream.take()) return upstream;
      upstream.end();
    }
    this.#idle.delete(key);
    return undefined;
  }

  /** Keeps it, unless there are enough. */
  park(upstream: Upstream): void {
    const idle = this.#idle.get(upstream.key) ?? [];
    if (
      !upstream.isOpen ||
      !this.#wanted.has(upstream.key) ||
      idle.length >= MOST_PER_ENDPOINT ||
      this.#count >= MOST
    ) {
      upstream.end();
      return;
    }
    upstream.park();
    if (idle.push(upstream) === 1) this.#idle.set(upstream.key, idle);
    this.#count += 1;
    this.#sweeper ??= setInterval(() => {
      this.#sweep(performance.now());
    }, SWEEP_PERIOD).unref();
  }

  /** Keeps connections to the endpoints named alone, now and from now on. */
  keepOnly(keys: ReadonlySet<string>): void {
    this.#wanted = keys;
    this.#closeWhere((upstream) => !keys.has(upstream.key));
  }

  close(): void {
    this.keepOnly(new Set());
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  get size(): number {
    return this.#count;
  }

  #sweep(now: number): void {
    this.#closeWhere((upstream) => !upstream.isOpen || now - upstream.idleSince > LONGEST_IDLE);
    if (this.#count > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #closeWhere(unwanted: (upstream: Upstream) => boolean): void {
    for (const [key, idle] of this.#idle) {
      const kept: Upstream[] = [];
      for (const upstream of idle) {
        if (unwanted(upstream)) upstream.end();
        else kept.push(upstream);
      }
      this.#count -= idle.length - kept.length;
      if (kept.length === 0) this.#idle.delete(key);
      else this.#idle.set(key, kept);
    }
  }
}
