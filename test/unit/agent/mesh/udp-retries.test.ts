import { expect, test } from 'vitest';
import { UdpRetries, type Undelivered } from '../../../../agent/mesh/udp-retries.js';
import { FakeClock } from '../../../support/fake-clock.js';

const BUDGET = 2_000;

function makeRetries(onDue: (client: string, undelivered: Undelivered) => void = () => undefined) {
  const clock = new FakeClock(0);
  const retries = new UdpRetries<string>({ clock, budget: BUDGET, onDue });
  const arrive = (client: string, datagram: Buffer | string): void => {
    const refusedBy = new Set(['task1', 'task2']);
    retries.add(client, { datagram: Buffer.from(datagram), arrivedAt: clock.now(), refusedBy, rounds: 0 });
  };
  return { clock, retries, arrive };
}

test('a datagram that is refused again and again is tried in ever longer pauses until its time is over', async () => {
  const at: number[] = [];
  const { clock, retries, arrive } = makeRetries((client, undelivered) => {
    at.push(clock.now());
    expect([client, undelivered.datagram.toString()]).toEqual(['a', 'question']);
    expect(undelivered.refusedBy.size, 'each round may ask all of them').toBe(0);
    retries.add(client, undelivered);
  });
  arrive('a', 'question');
  await clock.advance(10_000);
  expect(at).toEqual([50, 150, 350, 750, 1_150, 1_550, 1_950]);
});

test('those of one client come in the order in which they came', async () => {
  const seen: string[] = [];
  const { clock, arrive } = makeRetries((client, { datagram }) => seen.push(`${client} ${datagram.toString()}`));
  arrive('a', '1');
  arrive('b', '2');
  arrive('a', '3');
  await clock.advance(50);
  expect(seen).toEqual(['a 1', 'b 2', 'a 3']);
});

test('what is taken, or cleared, is tried no more', async () => {
  const seen: string[] = [];
  const { clock, retries, arrive } = makeRetries((client) => seen.push(client));
  arrive('a', '1');
  arrive('b', '2');
  expect(retries.take().map(({ client, datagram }) => `${client} ${datagram.toString()}`)).toEqual(['a 1', 'b 2']);
  arrive('c', '3');
  retries.clear();
  await clock.advance(1_000);
  expect(seen).toEqual([]);
});

test('a flood, of empty datagrams too, takes a bounded amount of memory, which is given back', async () => {
  const { clock, retries, arrive } = makeRetries();
  for (let count = 0; count < 20_000; count += 1) arrive('a', '');
  expect(retries.take().length).toBeLessThan(5_000);
  for (let count = 0; count < 2_000; count += 1) arrive('a', Buffer.alloc(1_500));
  await clock.advance(50);
  arrive('a', 'one more');
  expect(retries.take()).toHaveLength(1);
});
