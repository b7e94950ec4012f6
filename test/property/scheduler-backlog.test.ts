import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backlog, waitsForNode } from '../../manager/scheduler/backlog.js';
import { groupKey } from '../../manager/scheduler/waiting-group.js';
import type { TaskObject } from '../../manager/store/objects.js';
import { storedTask } from '../support/stored-objects.js';

const task: fc.Arbitrary<TaskObject> = fc
  .record({
    number: fc.nat(30),
    service: fc.constantFrom('web', 'db'),
    fields: fc.record({
      slot: fc.nat(20),
      serviceVersion: fc.constantFrom(1, 2),
      createdAt: fc.nat(100),
      desiredState: fc.constantFrom('running' as const, 'running' as const, 'ready' as const, 'shutdown' as const),
    }),
    node: fc.constantFrom({}, {}, { nodeId: 'h1' }, { pinnedTo: 'h1' }),
    err: fc.constantFrom('no room', 'no node'),
  })
  .map(({ number, service, fields, node, err }) => ({
    ...storedTask(`${service}.${number}`, service),
    ...fields,
    ...node,
    status: { Timestamp: '', State: 'pending', Message: '', Err: err },
  }));
const change = fc.oneof(
  { weight: 4, arbitrary: task.map((row) => ({ id: row.id, row })) },
  { weight: 1, arbitrary: task.map(({ id }) => ({ id, row: undefined })) },
);

/** Those that shall run now before those that wait out a delay, then by slot. */
const inOrder = (tasks: readonly TaskObject[]): readonly TaskObject[] =>
  [...tasks].sort(
    (a, b) =>
      Number(a.desiredState === 'ready') - Number(b.desiredState === 'ready') ||
      a.slot - b.slot ||
      (a.id < b.id ? -1 : 1),
  );

test('the backlog holds the tasks that wait, in the order of their turns, however they come and go', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.nat(12), (changes, most) => {
      const backlog = new Backlog();
      const rows = new Map<string, TaskObject>();
      for (const { id, row } of changes) {
        const before = rows.get(id);
        // A task stays in its group for good.
        const next =
          row === undefined || before === undefined ? row : { ...row, serviceVersion: before.serviceVersion };
        const after = next === undefined || before === undefined ? next : sameNode(next, before);
        if (after === undefined) rows.delete(id);
        else rows.set(id, after);
        const began = backlog.set(id, after);
        const waited = before !== undefined && waitsForNode(before);
        const waits = after !== undefined && waitsForNode(after);
        expect(began).toBe(waits && !waited ? groupKey(after) : undefined);
        // Reading between two writes must change nothing.
        if (changes.length % 2 === 0) for (const group of backlog.groups(backlog.keys())) group.first(1);
      }
      const waiting = [...rows.values()].filter(waitsForNode);
      const keys = [...new Set(waiting.map(groupKey))];
      expect(backlog.size).toBe(waiting.length);
      expect([...backlog.keys()].sort()).toEqual([...keys].sort());
      for (const group of backlog.groups(keys)) {
        const members = inOrder(waiting.filter((row) => groupKey(row) === group.key));
        expect(group.size).toBe(members.length);
        expect(group.first(most)).toEqual(members.slice(0, most).map(({ id }) => id));
        const others = members.filter(({ status }) => status.Err !== 'no room');
        expect(group.unexplained('no room', most)).toEqual(others.slice(0, most).map(({ id }) => id));
      }
    }),
  );
});

function sameNode(row: TaskObject, before: TaskObject): TaskObject {
  const { pinnedTo: _other, ...rest } = row;
  return before.pinnedTo === undefined ? rest : { ...rest, pinnedTo: before.pinnedTo };
}
