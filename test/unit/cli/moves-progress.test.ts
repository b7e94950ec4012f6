import { expect, test } from 'vitest';
import { movesProgress } from '../../../cli/view/moves-progress.js';
import { taskDocument } from '../../support/documents.js';

const MOVE = { since: '2026-01-01T00:00:00Z', reason: 'node h1 has 4 tasks of the service, node h2 has 0' };

test('moves under way, done, and called off', () => {
  const look = { name: 'web', taskIds: ['a', 'b', 'c'], waiting: ['web.1: running, waiting for h2'] };
  const gone = { ...taskDocument('c'), Status: { ...taskDocument('c').Status, State: 'shutdown' as const } };
  const [moving, staying] = [{ ...taskDocument('a'), move: MOVE }, taskDocument('b')];
  const texts = (tasks: Parameters<typeof movesProgress>[0]['tasks']) => {
    const { lines, left } = movesProgress({ ...look, tasks });
    return [left, ...lines.map(({ text }) => text)];
  };
  expect(texts([moving, { ...staying, move: MOVE }, gone])).toEqual([
    2,
    'web: 1 of 3 moved',
    'web.1: running, waiting for h2',
  ]);
  expect(texts([moving, staying])).toEqual([
    1,
    'web: 1 of 3 moved, 1 stays where it is',
    'web.1: running, waiting for h2',
  ]);
  expect(texts([taskDocument('a'), staying])).toEqual([
    0,
    'web: 1 of 3 moved, 2 stay where they are',
    'verify: Service web is balanced',
  ]);
});
