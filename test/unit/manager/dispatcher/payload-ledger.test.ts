import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PayloadShelf } from '../../../../agent/worker/payload-shelf.js';
import { PayloadLedger } from '../../../../manager/dispatcher/payload-ledger.js';
import type { Assignment } from '../../../../proto/assignment.js';
import { neededPayloads } from '../../../../proto/payload.js';
import { assignment } from '../../../support/assignments.js';

const File = { Name: 'f', UID: '0', GID: '0', Mode: 0o444 };
const task = (taskId: string, ids: readonly string[], over: Partial<Assignment> = {}): Assignment =>
  assignment(taskId, {
    ...over,
    container: { Secrets: ids.map((id) => ({ SecretID: id, SecretName: id, File: { ...File, Name: id } })) },
  });
const ids = (refs: readonly { readonly id: string }[]): readonly string[] => refs.map(({ id }) => id);

describe('what a node is sent', () => {
  test('each payload once, whichever of its tasks need it', () => {
    const ledger = new PayloadLedger();
    expect(ids(ledger.change([task('t1', ['a', 'b']), task('t2', ['b'])], []))).toEqual(['a', 'b']);
    expect(ids(ledger.change([task('t3', ['b', 'c'])], []))).toEqual(['c']);
    expect(ids(ledger.change([], ['t1', 't2']))).toEqual([]);
    expect(ids(ledger.change([task('t4', ['a', 'b'])], []))).toEqual(['a']);
  });

  test('nothing for a task that is to end, or has ended', () => {
    const ended = { Timestamp: '', State: 'failed', Message: '' } as const;
    expect(neededPayloads(task('t', ['a'], { desiredState: 'shutdown' }))).toEqual([]);
    expect(neededPayloads(task('t', ['a'], { status: ended }))).toEqual([]);
    expect(neededPayloads(task('t', ['a'], { desiredState: 'ready' }))).toHaveLength(1);
  });

  test('is all that its tasks need, and the node keeps no more', () => {
    const change = fc.record({
      set: fc.array(
        fc.record({
          id: fc.constantFrom('t1', 't2', 't3'),
          needs: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
          desired: fc.constantFrom('running' as const, 'shutdown' as const),
        }),
        { maxLength: 3 },
      ),
      remove: fc.uniqueArray(fc.constantFrom('t1', 't2', 't3'), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const ledger = new PayloadLedger();
        const shelf = new PayloadShelf();
        const tasks = new Map<string, Assignment>();
        for (const { set, remove } of changes) {
          // A task is either set or removed by one commit.
          const sets = [...new Map(set.map((one) => [one.id, one])).values()].filter(({ id }) => !remove.includes(id));
          const assignments = sets.map(({ id, needs, desired }) => task(id, needs, { desiredState: desired }));
          const sent = ledger.change(assignments, remove);
          shelf.put(sent.map((ref) => ({ ...ref, name: ref.id, data: Buffer.from(ref.id), templated: false })));
          for (const one of assignments) tasks.set(one.taskId, one);
          for (const id of remove) tasks.delete(id);
          shelf.keepFor(tasks.values());
          const needed = new Set([...tasks.values()].flatMap((one) => ids(neededPayloads(one))));
          for (const id of ['a', 'b', 'c']) {
            expect(shelf.get({ kind: 'secret', id }) !== undefined).toBe(needed.has(id));
          }
        }
      }),
    );
  });
});
