/** So many sessions of one node within WINDOW are a fault of it, not of the network. */
const MOST = 12;
/** ms */
const WINDOW = 8_000;

/** When the latest sessions of one node began, ms since the epoch, oldest first. */
export type SessionTimes = readonly number[];

export type RateVerdict =
  { readonly kind: 'admit'; readonly times: SessionTimes } | { readonly kind: 'refuse'; readonly reason: string };

/** Whether a node may open a further session now, so that one that opens them in a loop costs the others nothing. */
export function judgeSessionRate(times: SessionTimes, now: number): RateVerdict {
  const recent = times.filter((time) => time > now - WINDOW && time <= now);
  if (recent.length < MOST) return { kind: 'admit', times: [...recent, now] };
  return { kind: 'refuse', reason: `it opened ${MOST} sessions within ${WINDOW / 1000} s` };
}
