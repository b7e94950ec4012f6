/** What the mixed load consists of; each kind is counted on its own. */
export const LOAD_KINDS = ['kept', 'fresh', 'slow', 'post', 'websocket', 'tcp'] as const;
export type LoadKind = (typeof LOAD_KINDS)[number];

/** Of 100 requests, how many are of each kind. */
export const SHARES: Readonly<Record<LoadKind, number>> = {
  kept: 50,
  fresh: 20,
  slow: 10,
  post: 1,
  websocket: 12,
  tcp: 7,
};

/** One node's published ports. */
export interface LoadTarget {
  readonly node: string;
  readonly address: string;
  readonly httpPort: number;
  readonly tcpPort: number;
}

export interface LoadOptions {
  readonly targets: readonly LoadTarget[];
  /** Requests per second, over all targets and kinds. */
  readonly rate: number;
  /** Seconds after which WebSocket and TCP sessions are ended by their client. */
  readonly sessionSeconds: number;
}

export interface Failure {
  readonly kind: LoadKind;
  readonly node: string;
  readonly phase: string;
  /** ms since the epoch at which it was noticed. */
  readonly at: number;
  /** What went wrong and what was got instead. */
  readonly error: string;
  /** ms from the scheduled time to the failure. */
  readonly after: number;
}

export interface KindResult {
  readonly requests: number;
  readonly failed: number;
  /** Of those that succeeded, ms from the scheduled time to the whole answer. */
  readonly latencies: { readonly buckets: readonly number[]; readonly worst: number };
}

export interface LoadResult {
  readonly seconds: number;
  readonly kinds: Readonly<Record<LoadKind, KindResult>>;
  /** ms by which the generator sent its latest request too late, since it did not get a processor: a part of every latency. */
  readonly worstLag: number;
  /** The first of them, at most MOST_FAILURES. */
  readonly failures: readonly Failure[];
}

export const MOST_FAILURES = 1_000;
/** ms after which anything that is waited for counts as failed; long, so that a machine that is overloaded is not taken for a loss. */
export const PATIENCE = 30_000;
