import { expect, test } from 'vitest';
import { AddressWatch } from '../../../../agent/mesh/address-watch.js';
import { FakeClock } from '../../../support/fake-clock.js';

test('an address that comes is noticed within seconds, while somebody needs to know', async () => {
  const clock = new FakeClock();
  let addresses = ['10.0.0.7'];
  const seen: (readonly string[])[] = [];
  const watch = new AddressWatch({ clock, read: () => addresses, onChange: () => seen.push(watch.present) });
  addresses = ['10.0.0.8'];
  await clock.advance(60_000);
  expect([watch.present, seen]).toEqual([[], []]);

  watch.watch(true);
  expect(watch.present).toEqual(['10.0.0.8']);
  await clock.advance(60_000);
  expect(seen).toEqual([]);
  addresses = ['10.0.0.8', '10.0.0.100'];
  await clock.advance(2_000);
  expect(seen).toEqual([['10.0.0.8', '10.0.0.100']]);

  watch.watch(false);
  addresses = [];
  await clock.advance(60_000);
  expect(seen).toHaveLength(1);
});
