import { expect, test } from 'vitest';
import { neededPayloads } from '../../../proto/payload.js';
import type { TaskState } from '../../../proto/engine/task-state.js';
import { assignment } from '../../support/assignments.js';

const needs = (State: TaskState, over: Parameters<typeof assignment>[1] = {}) =>
  neededPayloads(
    assignment('t1', {
      registryAuth: 's1.a',
      status: { Timestamp: '2026-01-01T00:00:00Z', State, Message: '' },
      ...over,
    }),
  );

test('a node holds registry credentials until its task has the image', () => {
  const auth = [{ kind: 'registry-auth', id: 's1.a' }];
  expect(needs('assigned')).toEqual(auth);
  expect(needs('preparing')).toEqual(auth);
  expect(needs('ready')).toEqual([]);
  expect(needs('running')).toEqual([]);
  expect(needs('rejected')).toEqual([]);
  expect(needs('preparing', { desiredState: 'shutdown' })).toEqual([]);
});
