import { describe, expect, test } from 'vitest';
import { judgeHold, type HoldFacts } from '../../../../agent/mesh/hold.js';

const facts = (fields: Partial<HoldFacts>): HoldFacts => ({
  hold: { ms: 10_000, reason: 'it has no running replica' },
  arrivedAt: 1_000,
  emptySince: 1_000,
  now: 1_000,
  ...fields,
});

describe('new work without an active endpoint', () => {
  test('waits for as long as the service says', () => {
    expect(judgeHold(facts({}))).toMatchObject({ kind: 'wait', until: 11_000 });
    expect(judgeHold(facts({ now: 11_000 }))).toEqual({
      kind: 'refuse',
      reason: 'it has no running replica (waited 10 s)',
    });
  });

  test('is refused at once where no replica is to come', () => {
    const hold = { ms: 0, reason: 'it is scaled to 0' };
    expect(judgeHold(facts({ hold, emptySince: undefined }))).toEqual({ kind: 'refuse', reason: 'it is scaled to 0' });
  });

  test('waits while a replica is still on its way out, and only then begins to count', () => {
    expect(judgeHold(facts({ emptySince: undefined, now: 40_000 }))).toMatchObject({ kind: 'wait', until: 61_000 });
    expect(judgeHold(facts({ emptySince: 40_000, now: 40_000 }))).toMatchObject({ kind: 'wait', until: 50_000 });
  });

  test('never waits for more than a minute', () => {
    expect(judgeHold(facts({ emptySince: 59_000, now: 60_000 }))).toMatchObject({ kind: 'wait', until: 61_000 });
    expect(judgeHold(facts({ emptySince: undefined, now: 61_000 }))).toMatchObject({ kind: 'refuse' });
  });
});
