import { expect, test } from 'vitest';
import { patchNode, type NodeFlags } from '../../../cli/update/node-spec.js';
import { drainProgress } from '../../../cli/view/drain-progress.js';
import type { NodeSpec } from '../../../proto/engine/node-document.js';
import type { TaskDocument } from '../../../proto/engine/task-document.js';
import { taskDocument } from '../../support/documents.js';

const SPEC: NodeSpec = { Labels: { disk: 'ssd' }, Role: 'worker', Availability: 'active' };

test.each<[NodeFlags, Partial<NodeSpec>]>([
  [{ availability: 'drain' }, { Availability: 'drain' }],
  [{ role: 'manager' }, { Role: 'manager' }],
  [{ labelAdd: ['disk=hdd', 'zone'] }, { Labels: { disk: 'hdd', zone: '' } }],
  [{ labelRm: ['disk'] }, { Labels: {} }],
  [{ labelAdd: ['a=1'], labelRm: ['a'] }, {}],
])('node update %o', (flags, expected) => {
  expect(patchNode(SPEC, flags)).toEqual({ ...SPEC, ...expected });
});

test.each<[NodeFlags, string]>([
  [{ labelRm: ['zone'] }, "key zone doesn't exist in node's labels"],
  [{ availability: 'off' }, 'active, pause, drain'],
  [{ role: 'boss' }, 'worker, manager'],
])('node update %o is refused', (flags, reason) => {
  expect(() => patchNode(SPEC, flags)).toThrow(reason);
});

const look = (tasks: readonly TaskDocument[], availability: NodeSpec['Availability'] = 'drain') =>
  drainProgress({ node: 'h2', availability, tasks, services: new Map([['service', 'web']]), now: 0 });

test('a drain shows each task that is left, and why it is', () => {
  const gone = taskDocument('gone', { Slot: 9, DesiredState: 'shutdown' });
  const { lines, outcome } = look([
    taskDocument('a', { Slot: 3, DesiredState: 'shutdown' }),
    taskDocument('b', { Slot: 1 }),
    taskDocument('c', {
      Slot: 2,
      DesiredState: 'shutdown',
      drain: { since: '2026-01-01T00:00:00Z', reason: 'draining on h2, 1 request in flight, 9 s left' },
    }),
    { ...gone, Status: { ...gone.Status, State: 'shutdown' } },
  ]);
  expect(lines.map(({ text }) => text)).toEqual([
    'overall progress: 3 tasks left on h2',
    'web.1: running, waiting for its replacement',
    'web.2: draining on h2, 1 request in flight, 9 s left',
    'web.3: running, told to stop',
  ]);
  expect(outcome).toEqual({ kind: 'going' });
});

test('a node without live tasks is empty', () => {
  const { lines, outcome } = look([]);
  expect(lines.at(-1)?.text).toBe('verify: Node h2 is empty');
  expect(outcome).toEqual({ kind: 'done' });
});

test('a drain that somebody calls off ends with an error', () => {
  expect(look([taskDocument('a')], 'active').outcome).toEqual({
    kind: 'failed',
    message: 'node h2 was set to active meanwhile',
  });
});
