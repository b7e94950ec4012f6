import { describe, expect, test } from 'vitest';
import { StartGate } from '../../../../agent/executor/start-gate.js';
import { settle } from '../../../support/fake-clock.js';

const signal = new AbortController().signal;

function bench(width: number): {
  readonly begun: string[];
  readonly enter: (name: string, kind: 'create' | 'start', abort?: AbortSignal) => Promise<void>;
  readonly finish: (name: string) => Promise<void>;
} {
  const gate = new StartGate(width);
  const begun: string[] = [];
  const open = new Map<string, () => void>();
  return {
    begun,
    enter: (name, kind, abort = signal) =>
      gate.run(kind, abort, () => {
        begun.push(name);
        return new Promise((resolve) => open.set(name, resolve));
      }),
    finish: async (name) => {
      open.get(name)?.();
      await settle();
    },
  };
}

describe('the start gate', () => {
  test('lets no more in than its width, and the next as one leaves', async () => {
    const { begun, enter, finish } = bench(2);
    const all = ['a', 'b', 'c'].map((name) => enter(name, 'create'));
    await settle();
    expect(begun).toEqual(['a', 'b']);
    await finish('a');
    expect(begun).toEqual(['a', 'b', 'c']);
    await finish('b');
    await finish('c');
    await Promise.all(all);
  });

  test('lets starts in before creations', async () => {
    const { begun, enter, finish } = bench(1);
    const all = [enter('a', 'create'), enter('b', 'create'), enter('c', 'start')];
    await settle();
    for (const name of ['a', 'c', 'b']) await finish(name);
    expect(begun).toEqual(['a', 'c', 'b']);
    await Promise.all(all);
  });

  test('an aborted wait leaves the line and takes no place', async () => {
    const { begun, enter, finish } = bench(1);
    const first = enter('a', 'create');
    const abort = new AbortController();
    const second = enter('b', 'create', abort.signal);
    const third = enter('c', 'create');
    await settle();
    abort.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    await finish('a');
    expect(begun).toEqual(['a', 'c']);
    await finish('c');
    await Promise.all([first, third]);
  });

  test('work that fails gives its place back', async () => {
    const gate = new StartGate(1);
    await expect(gate.run('start', signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.run('start', signal, () => Promise.resolve(1))).toBe(1);
  });
});
