import { describe, expect, test } from 'vitest';
import { isRefusal, nextAttempt } from '../../../../agent/session/session-policy.js';
import { BaleError, type ErrorKind } from '../../../../core/errors.js';

const error = (kind: ErrorKind, code: string): BaleError => new BaleError('text', { kind, code });

describe('which errors are refusals for good', () => {
  test.each<[ErrorKind, string, boolean]>([
    ['forbidden', 'BALE_NODE_REMOVED', true],
    ['not-found', 'BALE_NODE_UNKNOWN', true],
    ['failed-precondition', 'BALE_PROTOCOL_VERSION', true],
    ['unauthenticated', 'BALE_CERTIFICATE_REQUIRED', true],
    ['unavailable', 'BALE_MANAGER_UNREACHABLE', false],
    ['unavailable', 'BALE_SESSION_FLOOD', false],
    ['internal', 'BALE_INTERNAL', false],
  ])('%s %s: %s', (kind, code, expected) => {
    expect(isRefusal(error(kind, code))).toBe(expected);
  });
});

describe('when to try again', () => {
  const lost = error('unavailable', 'BALE_MANAGER_UNREACHABLE');

  test('the pause is spread so that many agents do not return in step', () => {
    const early = nextAttempt({ error: lost, failures: 3, lasted: 0, random: 0 });
    const late = nextAttempt({ error: lost, failures: 3, lasted: 0, random: 1 });
    expect([early.delay, late.delay]).toEqual([400, 800]);
  });

  test('a session that ended soon after its welcome does not reset the pause', () => {
    expect(nextAttempt({ error: lost, failures: 4, lasted: 4_999, random: 1 }).delay).toBe(1600);
    expect(nextAttempt({ error: lost, failures: 4, lasted: 5_000, random: 1 }).delay).toBe(100);
  });

  test('a refusal waits long', () => {
    const next = nextAttempt({ error: error('forbidden', 'BALE_NODE_REMOVED'), failures: 0, lasted: 0, random: 1 });
    expect(next).toMatchObject({ delay: 30_000, refused: true });
  });
});
