import { expect, test } from 'vitest';
import { Ejections } from '../../../../agent/mesh/ejections.js';
import { InFlight } from '../../../../agent/mesh/in-flight.js';
import { Route } from '../../../../agent/mesh/route.js';
import { publishedPort } from '../../../support/mesh-node.js';

test('only what the manager waits for causes reports', () => {
  let changes = 0;
  const inFlight = new InFlight(() => (changes += 1));
  inFlight.watchAllBut(new Set(['active']));
  const busy = inFlight.enter('active');
  expect(changes).toBe(0);
  expect(inFlight.watched()).toEqual({});
  inFlight.watchAllBut(new Set());
  expect(inFlight.watched()).toEqual({ active: 1 });
  inFlight.leave(busy);
  expect(changes).toBe(1);
  expect(inFlight.watched()).toEqual({});
});

test('a claim on a draining task is watched from its beginning', () => {
  let changes = 0;
  const inFlight = new InFlight(() => (changes += 1));
  inFlight.watchAllBut(new Set());
  inFlight.leave(inFlight.enter('draining'));
  expect(changes).toBe(2);
});

test('a lease is given back once, however often it is released', () => {
  const inFlight = new InFlight(() => undefined);
  const route = new Route(publishedPort([{ taskId: 'task1', nodeId: 'node1', targetPort: 80, state: 'active' }]), {
    inFlight,
    ejections: new Ejections(),
    now: () => 0,
    start: 0,
  });
  const [first, second] = [route.claim(), route.claim()];
  expect(inFlight.total()).toBe(2);
  first?.release();
  first?.release();
  expect(inFlight.total()).toBe(1);
  second?.release();
  expect(inFlight.total()).toBe(0);
});
