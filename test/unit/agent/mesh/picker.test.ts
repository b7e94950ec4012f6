import { describe, expect, test } from 'vitest';
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
  isEjected: ({ taskId }) => ejected.includes(taskId),
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
