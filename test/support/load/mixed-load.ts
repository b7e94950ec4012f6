import { HttpCalls } from './http-calls.js';
import { Latencies } from './latencies.js';
import {
  LOAD_KINDS,
  MOST_FAILURES,
  SHARES,
  type Failure,
  type KindResult,
  type LoadKind,
  type LoadOptions,
  type LoadResult,
  type LoadTarget,
} from './load-types.js';
import { openTcp, openWebSocket } from './session-kinds.js';
import { SessionPool } from './session-pool.js';

/** More than this many under way at once are not sent and count as failed: the generator stays bounded. */
const MOST_UNDER_WAY = 4_096;

interface Tally {
  requests: number;
  failed: number;
  readonly latencies: Latencies;
}

/**
 * An open-loop load on the published ports of several nodes at once: requests are sent at fixed times,
 * however long earlier ones take, and a latency counts from the time at which its request was due. So
 * neither a slow answer nor a busy generator hides requests that should have been sent meanwhile.
 */
export class MixedLoad {
  /** What is going on; noted with each failure. */
  phase = 'before';
  readonly #options: LoadOptions;
  readonly #http = new HttpCalls();
  readonly #pools = new Map<string, SessionPool>();
  readonly #tallies = new Map<LoadKind, Tally>();
  readonly #failures: Failure[] = [];
  readonly #order = interleave(SHARES);
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #worstLag = 0;
  #underWay = 0;
  #onIdle: (() => void) | undefined;
  #onWholeRound: (() => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (const kind of LOAD_KINDS) this.#tallies.set(kind, { requests: 0, failed: 0, latencies: new Latencies() });
    this.#timer = setInterval(() => {
      this.#sendDue();
    }, 1);
  }

  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /**
   * Sends nothing more, waits for what is under way and closes every connection. However soon it is told to stop,
   * 100 requests are sent, of each kind its share: a quick change has been under the whole load too.
   */
  async stop(): Promise<LoadResult> {
    if (this.#sent < this.#order.length) {
      await new Promise<void>((resolve) => {
        this.#onWholeRound = resolve;
      });
    }
    clearInterval(this.#timer);
    const seconds = (performance.now() - this.#start) / 1000;
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    for (const pool of this.#pools.values()) pool.close();
    this.#http.close();
    return { seconds, kinds: this.#results(), worstLag: this.#worstLag, failures: this.#failures };
  }

  #sendDue(): void {
    const { rate, targets } = this.#options;
    const now = performance.now();
    for (;;) {
      const due = this.#start + (this.#sent * 1000) / rate;
      if (due > now) return;
      this.#worstLag = Math.max(this.#worstLag, now - due);
      const kind = this.#order[this.#sent % this.#order.length];
      const target = targets[this.#sent % targets.length];
      this.#sent += 1;
      if (this.#sent === this.#order.length) this.#onWholeRound?.();
      if (kind !== undefined && target !== undefined) void this.#request(kind, target, due);
    }
  }

  async #request(kind: LoadKind, target: LoadTarget, due: number): Promise<void> {
    const tally = this.#tallies.get(kind);
    if (tally === undefined) return;
    const { phase } = this;
    tally.requests += 1;
    this.#underWay += 1;
    try {
      if (this.#underWay > MOST_UNDER_WAY) throw new Error(`not sent: ${MOST_UNDER_WAY} are under way`);
      await this.#perform(kind, target);
      tally.latencies.add(performance.now() - due);
    } catch (error) {
      this.#note(kind, target, phase, error instanceof Error ? error.message : String(error), performance.now() - due);
    }
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
  }

  #perform(kind: LoadKind, target: LoadTarget): Promise<void> {
    switch (kind) {
      case 'kept':
      case 'fresh':
        return this.#http.get(target, '/', kind);
      case 'slow':
        return this.#http.get(target, '/slow', 'kept');
      case 'post':
        return this.#http.post(target);
      case 'websocket':
      case 'tcp':
        return this.#poolOf(kind, target).exchange();
    }
  }

  #poolOf(kind: 'websocket' | 'tcp', target: LoadTarget): SessionPool {
    const key = `${kind} ${target.node}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const pool = new SessionPool({
      open: () => (kind === 'tcp' ? openTcp(target) : openWebSocket(target)),
      life: this.#options.sessionSeconds * 1000,
      onCut: (reason) => {
        this.#note(kind, target, this.phase, reason, 0);
      },
    });
    this.#pools.set(key, pool);
    return pool;
  }

  #note(kind: LoadKind, { node }: LoadTarget, phase: string, error: string, after: number): void {
    const tally = this.#tallies.get(kind);
    if (tally !== undefined) tally.failed += 1;
    if (this.#failures.length < MOST_FAILURES)
      this.#failures.push({ kind, node, phase, at: Date.now(), error, after: Math.round(after) });
  }

  #results(): Readonly<Record<LoadKind, KindResult>> {
    const of = (kind: LoadKind): KindResult => {
      const { requests = 0, failed = 0, latencies = new Latencies() } = this.#tallies.get(kind) ?? {};
      return { requests, failed, latencies: latencies.toData() };
    };
    return {
      kept: of('kept'),
      fresh: of('fresh'),
      slow: of('slow'),
      post: of('post'),
      websocket: of('websocket'),
      tcp: of('tcp'),
    };
  }
}

/** Each kind as often as its share says, spread evenly: always the one that is furthest behind. */
function interleave(shares: Readonly<Record<LoadKind, number>>): readonly LoadKind[] {
  const total = LOAD_KINDS.reduce((sum, kind) => sum + shares[kind], 0);
  const behind = new Map(LOAD_KINDS.map((kind) => [kind, 0]));
  return Array.from({ length: total }, () => {
    for (const kind of LOAD_KINDS) behind.set(kind, (behind.get(kind) ?? 0) + shares[kind]);
    const next = LOAD_KINDS.reduce((best, kind) => ((behind.get(kind) ?? 0) > (behind.get(best) ?? 0) ? kind : best));
    behind.set(next, (behind.get(next) ?? 0) - total);
    return next;
  });
}
