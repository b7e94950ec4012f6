import { describe, expect, test } from 'vitest';
import {
  applyAssignments,
  EMPTY_LEDGER,
  forNewSession,
  type AssignmentLedger,
} from '../../../../agent/worker/assignment-ledger.js';
import type { AssignmentSet } from '../../../../proto/assignment.js';
import { assignment } from '../../../support/assignments.js';

function apply(ledger: AssignmentLedger, message: AssignmentSet): AssignmentLedger {
  const outcome = applyAssignments(ledger, message);
  if (outcome.kind === 'gap') throw new Error(outcome.reason);
  return outcome.ledger;
}

const complete = (resultsIn: number, ...ids: string[]): AssignmentSet => ({
  kind: 'complete',
  resultsIn,
  set: ids.map((id) => assignment(id)),
});

describe('the set of assigned tasks', () => {
  test('is replaced by a complete set and changed by the one that follows it', () => {
    const first = apply(EMPTY_LEDGER, complete(1, 'a', 'b'));
    const changed = assignment('b', { desiredState: 'shutdown' });
    const second = apply(first, {
      kind: 'incremental',
      appliesTo: 1,
      resultsIn: 2,
      set: [changed, assignment('c')],
      remove: ['a'],
    });
    expect([...second.tasks.keys()]).toEqual(['b', 'c']);
    expect(second.tasks.get('b')).toBe(changed);
    expect([...apply(second, complete(9, 'z')).tasks.keys()]).toEqual(['z']);
  });

  test('refuses a change of another set than the one known', () => {
    const ledger = apply(EMPTY_LEDGER, complete(1, 'a'));
    const change: AssignmentSet = { kind: 'incremental', appliesTo: 2, resultsIn: 3, set: [], remove: ['a'] };
    expect(applyAssignments(ledger, change)).toEqual({
      kind: 'gap',
      reason: 'assignments apply to set 2, this node has number 1',
    });
  });

  test('is kept over a new session, which must begin with a complete set', () => {
    const ledger = forNewSession(apply(EMPTY_LEDGER, complete(1, 'a')));
    expect([...ledger.tasks.keys()]).toEqual(['a']);
    const change: AssignmentSet = { kind: 'incremental', appliesTo: 1, resultsIn: 2, set: [], remove: [] };
    expect(applyAssignments(ledger, change).kind).toBe('gap');
  });
});
