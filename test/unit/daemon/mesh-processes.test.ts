import { expect, test } from 'vitest';
import { countMeshProcesses } from '../../../daemon/mesh-processes.js';

test.each([
  [1, 1],
  [3, 1],
  [4, 2],
  [7, 3],
  [8, 4],
  [64, 4],
])('auto on %i cores: %i', (cores, count) => {
  expect(countMeshProcesses('auto', cores)).toBe(count);
});

test('a number is taken as it is', () => {
  expect(countMeshProcesses(3, 1)).toBe(3);
});
