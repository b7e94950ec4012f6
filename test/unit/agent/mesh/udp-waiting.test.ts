import { expect, test } from 'vitest';
import { UdpWaiting, type WaitingFacts } from '../../../../agent/mesh/udp-waiting.js';

const facts = (now: number, fields: Partial<WaitingFacts> = {}): WaitingFacts => ({
  hold: { ms: 1_000, reason: 'it has no running replica' },
  emptySince: 0,
  now,
  ...fields,
});
const taken = (waiting: UdpWaiting<string>, now: number, fields?: Partial<WaitingFacts>): string[] =>
  waiting.take(facts(now, fields)).map(({ client, datagram }) => `${client} ${datagram.toString()}`);

test('datagrams wait in the order in which they came, and are taken once', () => {
  const waiting = new UdpWaiting<string>();
  waiting.add('a', Buffer.from('1'), facts(0));
  waiting.add('b', Buffer.from('2'), facts(1));
  waiting.add('a', Buffer.from('3'), facts(2));
  expect(taken(waiting, 3)).toEqual(['a 1', 'b 2', 'a 3']);
  expect(waiting.isEmpty).toBe(true);
});

test('they wait as long as the service lets new work wait, from when the last replica was gone', () => {
  const waiting = new UdpWaiting<string>();
  waiting.add('a', Buffer.from('early'), facts(0, { emptySince: undefined }));
  expect(taken(waiting, 30_000, { emptySince: 29_500 })).toEqual(['a early']);
  waiting.add('a', Buffer.from('late'), facts(30_000, { emptySince: 29_500 }));
  expect(taken(waiting, 30_500, { emptySince: 29_500 })).toEqual([]);
});

test('none waits for a service that shall have no replica', () => {
  const waiting = new UdpWaiting<string>();
  waiting.add('a', Buffer.from('1'), facts(0, { hold: { ms: 0, reason: 'it is scaled to 0' } }));
  expect(waiting.isEmpty).toBe(true);
});

test('a flood, of empty datagrams too, takes a bounded amount of memory', () => {
  const waiting = new UdpWaiting<string>();
  for (let count = 0; count < 20_000; count += 1) waiting.add('a', Buffer.alloc(0), facts(0));
  expect(waiting.take(facts(1)).length).toBeLessThan(5_000);
  for (let count = 0; count < 100; count += 1) waiting.add('a', Buffer.alloc(65_507), facts(0));
  expect(waiting.take(facts(1)).length).toBeLessThan(17);
});
