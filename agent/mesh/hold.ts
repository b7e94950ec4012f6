import type { Hold } from '../../proto/endpoint-table.js';

/** The longest that anything waits, whatever the service says, ms. */
export const LONGEST_HOLD = 60_000;

export interface HoldFacts {
  /** What the table says of the port. */
  readonly hold: Hold;
  /** All times in ms of one clock. */
  readonly arrivedAt: number;
  /** Since when there is no endpoint at all; undefined while a draining one is still there. */
  readonly emptySince: number | undefined;
  readonly now: number;
}

export type HoldVerdict =
  | { readonly kind: 'wait'; readonly until: number; readonly reason: string }
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Whether new work for which there is no active endpoint waits. The time that the service gives
 * begins when its last replica is gone: while one drains and stops, its successor cannot have begun.
 */
export function judgeHold({ hold, arrivedAt, emptySince, now }: HoldFacts): HoldVerdict {
  if (hold.ms <= 0) return { kind: 'refuse', reason: hold.reason };
  const longest = arrivedAt + LONGEST_HOLD;
  const until = emptySince === undefined ? longest : Math.min(longest, emptySince + hold.ms);
  if (now < until) return { kind: 'wait', until, reason: hold.reason };
  return { kind: 'refuse', reason: `${hold.reason} (waited ${seconds(now - arrivedAt)})` };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
