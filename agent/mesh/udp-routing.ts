import type { Endpoint } from '../../proto/endpoint-table.js';
import type { UdpActivity } from './udp-activity.js';

/** ms for which a client that never pauses may stay with an endpoint that drains. */
const LEAVE_PATIENCE = 1_000;
/** How many of the longest silent sessions are looked at for one to give up. */
const LOOKED_AT = 64;

export interface SessionFacts {
  readonly activity: UdpActivity;
  /** Of its endpoint in the present table. */
  readonly state: Endpoint['state'] | 'gone';
  /** When a datagram of the client first found its endpoint draining, ms since the epoch. */
  readonly drainingSince: number | undefined;
}

export type DatagramVerdict =
  /** Relay it to the endpoint of the session. */
  | { readonly kind: 'keep'; readonly reason: string }
  /** Begin a session with the endpoint whose turn it is; the one before, if any, still relays late answers. */
  | { readonly kind: 'open'; readonly reason: string };

/**
 * Where a datagram of a client goes. A client stays with its endpoint while that is active. Once it
 * drains the client moves with the first datagram that finds no answer outstanding, at the latest
 * after a second, so that what is in flight reaches zero. Where no other is active it waits for one.
 */
export function judgeDatagram(session: SessionFacts | undefined, now: number): DatagramVerdict {
  if (session === undefined) return OPEN.newClient;
  const { activity, state, drainingSince = now } = session;
  switch (state) {
    case 'active':
      return KEEP.active;
    case 'gone':
      return OPEN.gone;
    case 'draining':
      if (!activity.isOutstanding(now)) return OPEN.quiet;
      return now - drainingSince < LEAVE_PATIENCE ? KEEP.outstanding : OPEN.patience;
  }
}

// Constants, since one is returned for each datagram.
const KEEP = {
  active: { kind: 'keep', reason: 'its endpoint is active' },
  outstanding: { kind: 'keep', reason: 'its endpoint drains and still owes an answer' },
} as const;
const OPEN = {
  newClient: { kind: 'open', reason: 'the client has no session' },
  gone: { kind: 'open', reason: 'its endpoint is gone' },
  quiet: { kind: 'open', reason: 'its endpoint drains and owes no answer' },
  patience: { kind: 'open', reason: 'its endpoint drains and the client never pauses' },
} as const;

/**
 * The session to give up for a new client when there are too many: the longest silent one that is
 * not in flight. Undefined when all of them are: then the newcomer is turned away, since who is
 * served must not suffer from a flood. `longestSilentFirst` is in that order.
 */
export function chooseEvicted<Session extends { readonly activity: UdpActivity }>(
  longestSilentFirst: Iterable<Session>,
  now: number,
): Session | undefined {
  let looked = 0;
  for (const session of longestSilentFirst) {
    if (!session.activity.isBusy(now)) return session;
    looked += 1;
    if (looked === LOOKED_AT) break;
  }
  return undefined;
}
