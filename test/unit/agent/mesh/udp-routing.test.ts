import { describe, expect, test } from 'vitest';
import { UdpActivity } from '../../../../agent/mesh/udp-activity.js';
import { chooseEvicted, judgeDatagram, type SessionFacts } from '../../../../agent/mesh/udp-routing.js';

const waiting = (since: number): UdpActivity => {
  const activity = new UdpActivity(since);
  activity.sent(since);
  return activity;
};
const quiet = (): UdpActivity => new UdpActivity(0);

const session = (fields: Partial<SessionFacts>): SessionFacts => ({
  activity: quiet(),
  state: 'active',
  drainingSince: undefined,
  ...fields,
});

describe('a datagram', () => {
  test.each<[string, SessionFacts | undefined, 'keep' | 'open', string]>([
    ['of a new client', undefined, 'open', 'no session'],
    ['of a client whose endpoint is active', session({ activity: waiting(9_000) }), 'keep', 'active'],
    ['of a client whose endpoint is gone', session({ state: 'gone' }), 'open', 'gone'],
    ['of one whose endpoint drains and owes nothing', session({ state: 'draining' }), 'open', 'owes no answer'],
    [
      'of one whose endpoint drains and owes an answer',
      session({ state: 'draining', activity: waiting(9_999), drainingSince: 9_001 }),
      'keep',
      'owes an answer',
    ],
    [
      'of one that never paused for a second of draining',
      session({ state: 'draining', activity: waiting(9_999), drainingSince: 9_000 }),
      'open',
      'never pauses',
    ],
    [
      'whose answer is waited for in vain',
      session({ state: 'draining', activity: waiting(8_000) }),
      'open',
      'owes no answer',
    ],
  ])('%s', (_what, facts, kind, reason) => {
    const verdict = judgeDatagram(facts, 10_000);
    expect(verdict.kind).toBe(kind);
    expect(verdict.reason).toContain(reason);
  });
});

describe('when there are too many sessions', () => {
  test('the longest silent one that is not in flight goes', () => {
    const sessions = [
      { id: 'waits', activity: waiting(9_000) },
      { id: 'quiet', activity: quiet() },
      { id: 'quiet too', activity: quiet() },
    ];
    expect(chooseEvicted(sessions, 10_000)?.id).toBe('quiet');
  });

  test('none goes while all of them are in flight', () => {
    const sessions = Array.from({ length: 10 }, () => ({ activity: waiting(9_000) }));
    expect(chooseEvicted(sessions, 10_000)).toBeUndefined();
  });

  test('only the longest silent are looked at, so that a flood costs little', () => {
    let looked = 0;
    const sessions = {
      *[Symbol.iterator]() {
        for (; looked < 10_000; looked += 1) yield { activity: waiting(9_000) };
      },
    };
    expect(chooseEvicted(sessions, 10_000)).toBeUndefined();
    expect(looked).toBeLessThan(100);
  });
});
