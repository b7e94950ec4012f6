import { expect, test } from 'vitest';
import { UdpRefusals } from '../../../../agent/mesh/udp-refusals.js';

const never = (): boolean => false;

test('a port that refused is not asked until a socket is seen on it', () => {
  const refusals = new UdpRefusals();
  expect(refusals.refuses('a', 0, never)).toBe(false);
  refusals.refused('a', 0);
  expect(refusals.refuses('a', 100, never)).toBe(true);
  expect(refusals.refuses('b', 100, never)).toBe(false);
  expect(refusals.refuses('a', 200, () => true)).toBe(false);
  expect(refusals.refuses('a', 201, never), 'from then on').toBe(false);
});

test('where no socket is ever seen it is asked again, seldom enough for its kernel to tell of each refusal', () => {
  const refusals = new UdpRefusals();
  let asked = 0;
  for (let now = 0; now < 20_000; now += 50) {
    if (refusals.refuses('a', now, never)) continue;
    asked += 1;
    refusals.refused('a', now);
  }
  expect(asked).toBe(10);
});

test('however many ask, the container is looked at now and then', () => {
  const refusals = new UdpRefusals();
  refusals.refused('a', 0);
  let looks = 0;
  for (let now = 0; now < 1_000; now += 1) {
    refusals.refuses('a', now, () => {
      looks += 1;
      return false;
    });
  }
  expect(looks).toBeLessThanOrEqual(50);
});

test('an answer clears it, and what is not kept is forgotten', () => {
  const refusals = new UdpRefusals();
  refusals.refused('a', 0);
  refusals.refused('b', 0);
  refusals.refused('c', 0);
  refusals.answered('a');
  refusals.keepOnly((key) => key !== 'b');
  expect(['a', 'b', 'c'].filter((key) => refusals.refuses(key, 1, never))).toEqual(['c']);
});
