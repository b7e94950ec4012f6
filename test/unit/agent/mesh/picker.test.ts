import { describe, expect, test } from 'vitest';
import type { Affinity } from '../../../../agent/mesh/affinity.js';
import { Picker, type PickContext } from '../../../../agent/mesh/picker.js';
import type { Endpoint } from '../../../../proto/endpoint-table.js';

const endpoint = (taskId: string, state: Endpoint['state'] = 'active', nodeId = 'node1'): Endpoint => ({
  taskId,
  nodeId,
  targetPort: 80,
  state,
});

const picks = (picker: Picker, count: number, context?: PickContext): (string | undefined)[] =>
  Array.from({ length: count }, () => picker.pick(context)?.taskId);

const context = (
  tried: readonly string[],
  ejected: readonly string[] = [],
  stalled: readonly string[] = [],
): PickContext => ({
  tried: new Set(tried),
  stalled: new Set(stalled),
  affinity: undefined,
  isEjected: ({ taskId }) => ejected.includes(taskId),
  loadOf: () => 0,
});

describe('picker', () => {
  test('goes round', () => {
    const picker = new Picker(
      ['a', 'b', 'c'].map((taskId) => endpoint(taskId)),
      1,
    );
    expect(picks(picker, 5)).toEqual(['b', 'c', 'a', 'b', 'c']);
  });

  test('has nothing to pick where there is nothing', () => {
    expect(new Picker([]).pick()).toBeUndefined();
  });

  test('passes over what was tried', () => {
    const picker = new Picker(['a', 'b'].map((taskId) => endpoint(taskId)));
    expect(picker.pick(context(['a']))?.taskId).toBe('b');
    expect(picker.pick(context(['a', 'b']))).toBeUndefined();
  });

  test('passes over ejected endpoints, unless there is no other', () => {
    const picker = new Picker(['a', 'b'].map((taskId) => endpoint(taskId)));
    expect(picks(picker, 3, context([], ['a']))).toEqual(['b', 'b', 'b']);
    expect(picks(picker, 2, context([], ['a', 'b']))).toEqual(['a', 'b']);
    expect(picker.pick(context(['b'], ['a']))?.taskId).toBe('a');
  });

  test('leaves nodes that stall for the end, after ejected endpoints of others', () => {
    const picker = new Picker([
      endpoint('a', 'active', 'stalled'),
      endpoint('b', 'active', 'stalled'),
      endpoint('c'),
      endpoint('d'),
    ]);
    const order = (ejected: readonly string[]): string[] => {
      const tried: string[] = [];
      for (;;) {
        const picked = picker.pick(context(tried, ejected, ['stalled']));
        if (picked === undefined) return tried;
        tried.push(picked.taskId);
      }
    };
    expect(order([])).toEqual(['c', 'd', 'a', 'b']);
    expect(order(['a', 'c'])).toEqual(['d', 'c', 'b', 'a']);
  });

  test('never picks a draining endpoint, also when there is no other', () => {
    const picker = new Picker([endpoint('old', 'draining'), endpoint('new')]);
    expect(picks(picker, 3)).toEqual(['new', 'new', 'new']);
    expect(picker.pick(context([], ['new']))?.taskId).toBe('new');
    expect(picker.pick(context(['new']))).toBeUndefined();
    expect(new Picker([endpoint('old', 'draining')]).pick()).toBeUndefined();
  });

  test('keeps whose turn it is from table to table', () => {
    const picker = new Picker(['a', 'b', 'c'].map((taskId) => endpoint(taskId)));
    picks(picker, 1);
    expect(picker.followedBy(['x', 'c', 'b', 'a'].map((taskId) => endpoint(taskId))).pick()?.taskId).toBe('b');
    expect(picker.followedBy(['a', 'c'].map((taskId) => endpoint(taskId))).pick()?.taskId).toBe('c');
    expect(picker.followedBy([endpoint('z')]).pick()?.taskId).toBe('z');
    expect(
      picker
        .followedBy([])
        .followedBy([endpoint('z')])
        .pick()?.taskId,
    ).toBe('z');
  });
});

describe('least-connections', () => {
  const pickUnder = (
    loads: Readonly<Record<string, number>>,
    count: number,
    more: Partial<PickContext> = {},
    endpoints = ['a', 'b', 'c'].map((taskId) => endpoint(taskId)),
  ): (string | undefined)[] =>
    picks(new Picker(endpoints, 0, 'least-connections'), count, {
      ...context([]),
      ...more,
      loadOf: ({ taskId }) => loads[taskId] ?? 0,
    });

  test.each([
    ['the one with the least', { a: 3, b: 1, c: 2 }, ['b', 'b']],
    ['equal ones in turn', { a: 1, b: 0, c: 0 }, ['b', 'c', 'b', 'c']],
    ['all idle ones in turn', {}, ['a', 'b', 'c', 'a']],
  ])('picks %s', (_what, loads, picked) => {
    expect(pickUnder(loads, picked.length)).toEqual(picked);
  });

  test('the least of those that are left: not ejected, not tried, not stalled, never draining', () => {
    const loads = { a: 0, b: 1, c: 2 };
    expect(pickUnder(loads, 1, context([], ['a']))).toEqual(['b']);
    expect(pickUnder(loads, 1, context(['a', 'b']))).toEqual(['c']);
    expect(pickUnder(loads, 1, context([], ['a', 'b', 'c']))).toEqual(['a']);
    const endpoints = [endpoint('a', 'draining'), endpoint('b', 'active', 'stalled'), endpoint('c')];
    expect(pickUnder(loads, 1, {}, endpoints)).toEqual(['b']);
    expect(pickUnder(loads, 1, context([], [], ['stalled']), endpoints)).toEqual(['c']);
  });
});

describe('sticky', () => {
  const sticky = (endpoints: readonly Endpoint[]): Picker => new Picker(endpoints, 0, 'sticky');
  const of = (affinity: Affinity, fields: Partial<PickContext> = {}): PickContext => ({
    ...context([]),
    ...fields,
    affinity,
  });
  const replica = (taskId: string): Affinity => ({ kind: 'replica', taskId });
  const abc = ['a', 'b', 'c'].map((taskId) => endpoint(taskId));

  test('a client that names its replica gets it, and takes nobody else its turn', () => {
    const picker = sticky(abc);
    expect(picks(picker, 2, of(replica('c')))).toEqual(['c', 'c']);
    expect(picks(picker, 3)).toEqual(['a', 'b', 'c']);
  });

  test.each<[string, PickContext, readonly Endpoint[]]>([
    ['drains', of(replica('a')), [endpoint('a', 'draining'), endpoint('b'), endpoint('c')]],
    ['is gone', of(replica('x')), [endpoint('b'), endpoint('c')]],
    ['was tried in vain', of(replica('a'), context(['a'])), abc],
    ['refused a moment ago', of(replica('a'), context([], ['a'])), abc],
    [
      'is on a node that stalls',
      of(replica('a'), context([], [], ['n'])),
      [endpoint('a', 'active', 'n'), ...abc.slice(1)],
    ],
  ])('one whose replica %s gets another', (_what, client, endpoints) => {
    const picker = sticky(endpoints);
    const other = picker.pick(client)?.taskId ?? '';
    expect(['b', 'c']).toContain(other);
    // The next one, since it is the turn that decides now.
    expect(picker.pick(client)?.taskId).not.toBe(other);
  });

  test('the last one is never left out', () => {
    expect(sticky([endpoint('a')]).pick(of(replica('a'), context([], ['a'])))?.taskId).toBe('a');
    expect(sticky([endpoint('a', 'draining')]).pick(of(replica('a')))).toBeUndefined();
  });

  test('a client known by its address gets the same one from any picker, whatever the order and the turn', () => {
    const affinity: Affinity = { kind: 'address', address: '10.0.0.7' };
    const picked = sticky(abc).pick(of(affinity))?.taskId;
    expect(new Picker(abc.toReversed(), 2, 'sticky').pick(of(affinity))?.taskId).toBe(picked);
  });

  test('without an affinity each in its turn, and a new table may change the balance', () => {
    const picker = sticky(abc);
    expect(picks(picker, 2, context([]))).toEqual(['a', 'b']);
    const plain = picker.followedBy(abc);
    expect(picks(plain, 2, of(replica('a')))).toEqual(['c', 'a']);
  });
});
