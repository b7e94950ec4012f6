import { describe, expect, test } from 'vitest';
import { UdpActivity } from '../../../../agent/mesh/udp-activity.js';

describe('a session', () => {
  test('is in flight from a datagram until a moment after its answer, in which more of it may come', () => {
    const activity = new UdpActivity(0);
    activity.sent(0);
    expect(activity.isOutstanding(1_000)).toBe(true);
    expect(activity.isBusy(1_000)).toBe(true);
    activity.answered(1_000);
    expect(activity.isOutstanding(1_000)).toBe(false);
    expect(activity.isBusy(1_099)).toBe(true);
    expect(activity.isBusy(1_100)).toBe(false);
  });

  test('is in flight until each datagram was answered', () => {
    const activity = new UdpActivity(0);
    activity.sent(0);
    activity.sent(0);
    activity.answered(10);
    expect(activity.isOutstanding(500)).toBe(true);
    activity.answered(500);
    expect(activity.isOutstanding(500)).toBe(false);
  });

  test('of a service that never answers is in flight for two seconds after the last datagram', () => {
    const activity = new UdpActivity(0);
    activity.sent(0);
    activity.sent(1_500);
    expect(activity.isBusy(3_499)).toBe(true);
    expect(activity.isBusy(3_500)).toBe(false);
  });

  test('that got more than it asked for owes nothing in advance', () => {
    const activity = new UdpActivity(0);
    for (let answer = 0; answer < 3; answer += 1) activity.answered(0);
    activity.sent(1_000);
    expect(activity.isOutstanding(1_000)).toBe(true);
  });

  test('is idle when nothing passed either way for the timeout', () => {
    const activity = new UdpActivity(0);
    activity.sent(0);
    expect(activity.isIdle(59_999, 60_000)).toBe(false);
    expect(activity.isIdle(60_000, 60_000)).toBe(true);
    activity.answered(30_000);
    expect(activity.isIdle(89_999, 60_000)).toBe(false);
    expect(activity.isIdle(90_000, 60_000)).toBe(true);
  });
});
