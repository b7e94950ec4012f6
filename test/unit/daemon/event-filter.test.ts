import { describe, expect, test } from 'vitest';
import { admitsEvent, sidesOf } from '../../../daemon/event-filter.js';
import type { ClusterEvent } from '../../../manager/events/cluster-event.js';

const event = (fields: Partial<ClusterEvent> = {}): ClusterEvent => ({
  type: 'service',
  action: 'update',
  id: 'abcdef',
  attributes: { name: 'web' },
  labels: { team: 'red', empty: '' },
  time: 0,
  number: 1,
  ...fields,
});
const task = event({
  type: 'task',
  id: 'ttt',
  attributes: { name: 'web.1.ttt', 'service.id': 'abcdef', 'node.id': 'nnn', 'node.name': 'h1' },
});

describe('filters', () => {
  test.each([
    [{}, true],
    [{ type: [] }, true],
    [{ type: ['node', 'service'] }, true],
    [{ type: ['serv'] }, false],
    [{ event: ['create'] }, false],
    [{ event: ['update'], type: ['service'] }, true],
    [{ service: ['we'] }, true],
    [{ service: ['abc'] }, true],
    [{ service: ['eb'] }, false],
    // As the Engine does: any of these filters is tried on any event.
    [{ container: ['web'] }, true],
    [{ image: ['web'] }, false],
    [{ label: ['team'] }, true],
    [{ label: ['team=red'] }, true],
    [{ label: ['team=blue'] }, false],
    [{ label: ['team', 'other'] }, false],
    [{ label: ['empty='] }, true],
    [{ label: ['name=web'] }, true],
    [{ unknown: ['x'] }, true],
    [{ label: ['__proto__'] }, false],
  ])('%o admits a service: %s', (filters, admitted) => {
    expect(admitsEvent(filters, event())).toBe(admitted);
  });

  test.each([
    [{ service: ['abcdef'] }, true],
    [{ node: ['h1'] }, true],
    [{ node: ['nn'] }, true],
    [{ node: ['h2'] }, false],
    [{ task: ['web.1'] }, true],
    [{ task: ['web.2'] }, false],
    [{ service: ['web'], node: ['h1'] }, true],
  ])('%o admits a task: %s', (filters, admitted) => {
    expect(admitsEvent(filters, task)).toBe(admitted);
  });

  test.each([
    [{}, { cluster: true, engine: true }],
    [{ type: ['container'] }, { cluster: false, engine: true }],
    [{ type: ['service', 'task'] }, { cluster: true, engine: false }],
    [{ type: ['service', 'image'] }, { cluster: true, engine: true }],
    [{ scope: ['swarm'] }, { cluster: true, engine: false }],
    [{ scope: ['local'] }, { cluster: false, engine: true }],
    [{ task: ['x'] }, { cluster: true, engine: false }],
    [{ service: ['x'] }, { cluster: true, engine: true }],
  ])('%o asks %o', (filters, sides) => {
    expect(sidesOf(filters)).toEqual(sides);
  });
});
