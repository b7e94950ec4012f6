import { expect, test } from 'vitest';
import { Throttle } from '../../../../agent/worker/throttle.js';
import { FakeClock } from '../../../support/fake-clock.js';

test('the latest value is told once a period, none is lost for ever, and none after the end', async () => {
  const clock = new FakeClock();
  const told: number[] = [];
  const throttle = new Throttle<number>(clock, 1000, (value) => told.push(value));
  throttle.put(1);
  throttle.put(2);
  await clock.advance(999);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(told).toEqual([2]);
  throttle.put(3);
  await clock.advance(1000);
  expect(told).toEqual([2, 3]);
  await clock.advance(5000);
  expect(told).toEqual([2, 3]);
  throttle.put(4);
  throttle.close();
  await clock.advance(5000);
  expect(told).toEqual([2, 3]);
});
