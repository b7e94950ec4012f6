import { expect, test } from 'vitest';
import { Ejections } from '../../../../agent/mesh/ejections.js';

test('a refusing endpoint is passed over for a second, longer each time in a row, at most ten', () => {
  const ejections = new Ejections();
  let now = 0;
  const lengths = Array.from({ length: 6 }, () => {
    ejections.refused('a:80', now);
    const from = now;
    while (ejections.isEjected('a:80', now)) now += 100;
    return now - from;
  });
  expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('dials that fail together are one refusal', () => {
  const ejections = new Ejections();
  for (let index = 0; index < 20; index += 1) ejections.refused('a:80', index);
  expect(ejections.isEjected('a:80', 999)).toBe(true);
  expect(ejections.isEjected('a:80', 1_000)).toBe(false);
});

test('a success clears it, other endpoints are not touched, and what left the table is forgotten', () => {
  const ejections = new Ejections();
  ejections.refused('a:80', 0);
  ejections.refused('b:80', 0);
  ejections.connected('a:80');
  expect([ejections.isEjected('a:80', 1), ejections.isEjected('b:80', 1)]).toEqual([false, true]);
  ejections.keepOnly(new Set(['a:80']));
  expect(ejections.size).toBe(0);
});
