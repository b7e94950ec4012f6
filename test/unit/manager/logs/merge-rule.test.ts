import { describe, expect, test } from 'vitest';
import { judgeHead, REORDERING_WINDOW, START_WINDOW, type MergeFacts } from '../../../../manager/logs/merge-rule.js';

const NOW = Date.parse('2026-01-01T00:01:00.000Z');
const at = (ms: number): string => new Date(ms).toISOString().replace('Z', '000000Z');

const facts = (over: Partial<MergeFacts> & { readonly age?: number; readonly arrived?: number } = {}): MergeFacts => {
  const { age = 0, arrived = 0, ...rest } = over;
  return {
    head: { timestamp: at(NOW - age), arrivedAt: NOW - arrived },
    follow: true,
    quiet: 1,
    starting: 0,
    now: NOW,
    ...rest,
  };
};

describe('the earliest line at hand', () => {
  test.each([true, false])('goes at once when every other log has shown its next line (follow: %s)', (follow) => {
    expect(judgeHead(facts({ follow, quiet: 0 })).kind).toBe('release');
  });

  test('waits for every log when nothing is followed, however long that takes', () => {
    const verdict = judgeHead(facts({ follow: false, age: 1e9, arrived: 1e9 }));
    expect(verdict).toMatchObject({ kind: 'wait', reason: '1 logs are still being read' });
    expect(verdict).not.toHaveProperty('until');
  });

  test('waits the window for a quiet log that is followed, and no longer', () => {
    expect(judgeHead(facts())).toMatchObject({ kind: 'wait', until: NOW + REORDERING_WINDOW });
    expect(judgeHead(facts({ arrived: REORDERING_WINDOW })).kind).toBe('release');
  });

  test('does not wait again when it is read late', () => {
    expect(judgeHead(facts({ age: REORDERING_WINDOW })).kind).toBe('release');
  });

  test('waits no longer than the window when the clock of its node is ahead', () => {
    expect(judgeHead(facts({ age: -60_000, arrived: REORDERING_WINDOW })).kind).toBe('release');
  });

  test('waits longer while other logs are being opened, and not for ever', () => {
    expect(judgeHead(facts({ starting: 1, age: 60_000 }))).toMatchObject({
      kind: 'wait',
      until: NOW + START_WINDOW,
      reason: '1 logs are being opened',
    });
    expect(judgeHead(facts({ starting: 1, arrived: START_WINDOW })).kind).toBe('release');
  });
});
