import { describe, expect, it } from 'vitest';
import { decideJoin } from '../../../../manager/ca/join-decision.js';

describe('who may join', () => {
  it.each([
    ['', 'active'],
    ['active', 'active'],
    ['pause', 'pause'],
    ['drain', 'drain'],
  ])('a worker with availability %j comes in as %s', (availability, expected) => {
    expect(decideJoin({ token: 'worker', availability })).toMatchObject({
      kind: 'admit',
      role: 'worker',
      availability: expected,
    });
  });

  it.each([
    ['none', 'active', 'BALE_JOIN_TOKEN_REFUSED'],
    ['none', 'nonsense', 'BALE_JOIN_TOKEN_REFUSED'],
    ['manager', 'active', 'BALE_MANAGER_JOIN_UNAVAILABLE'],
    ['worker', 'Active', 'BALE_AVAILABILITY_INVALID'],
    ['worker', 'nonsense', 'BALE_AVAILABILITY_INVALID'],
  ] as const)('token of %s with availability %j is refused: %s', (token, availability, code) => {
    expect(decideJoin({ token, availability })).toMatchObject({ kind: 'refuse', error: { code } });
  });
});
