/** Lines of tasks that are followed may come this much out of order, ms: longer ago than this, a line waits for no other. */
export const REORDERING_WINDOW = 100;
/** At the start of following, so long do lines wait for the logs of other tasks to be opened and read, ms. */
export const START_WINDOW = 2_000;

export interface MergeFacts {
  /** The earliest line at hand. */
  readonly head: {
    /** RFC 3339. */
    readonly timestamp: string;
    /** When its bytes came, ms since the epoch. */
    readonly arrivedAt: number;
  };
  readonly follow: boolean;
  /** Open logs of which no line is at hand: an earlier one may come. */
  readonly quiet: number;
  /** Of these: logs that are being opened, or of which it is not known yet whether they have earlier lines. */
  readonly starting: number;
  /** ms since the epoch. */
  readonly now: number;
}

export type MergeVerdict =
  | { readonly kind: 'release'; readonly reason: string }
  /** Until more is at hand, or `until` (ms since the epoch). */
  | { readonly kind: 'wait'; readonly until?: number; readonly reason: string };

/** Whether the earliest line at hand may be sent, or an earlier one may still come. */
export function judgeHead({ head, follow, quiet, starting, now }: MergeFacts): MergeVerdict {
  if (quiet === 0) return { kind: 'release', reason: 'every log has shown its next line' };
  if (!follow) return { kind: 'wait', reason: `${quiet} logs are still being read` };
  if (starting > 0) {
    const until = head.arrivedAt + START_WINDOW;
    if (until <= now) return { kind: 'release', reason: 'other logs took too long to open' };
    return { kind: 'wait', until, reason: `${starting} logs are being opened` };
  }
  // By the line's own clock: a log that is read late has waited long enough. By ours: clocks of nodes may differ.
  const until = Math.min(Date.parse(head.timestamp), head.arrivedAt) + REORDERING_WINDOW;
  if (until <= now) return { kind: 'release', reason: 'earlier lines would have come by now' };
  return { kind: 'wait', until, reason: 'an earlier line of another task may be on its way' };
}
