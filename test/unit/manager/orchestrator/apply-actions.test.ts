import { expect, test } from 'vitest';
import { decodeSwarmSpec } from '../../../../proto/engine/swarm-spec-shape.js';
import type { LogDriver } from '../../../../proto/engine/task-spec.js';
import { applyActions, type TaskWriter } from '../../../../manager/orchestrator/apply-actions.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { Draft } from '../../../../manager/store/store-types.js';
import { draftTask } from '../../../support/stored-objects.js';

/** The log driver of a new task besides its spec. */
function given(swarmDefault: LogDriver | undefined, own: LogDriver | undefined): LogDriver | undefined {
  const written: Draft<TaskObject>[] = [];
  const TaskDefaults = swarmDefault === undefined ? {} : { LogDriver: swarmDefault };
  const spec = decodeSwarmSpec({ TaskDefaults });
  const tx: TaskWriter = {
    put: (_table, row) => void written.push(row),
    delete: () => undefined,
    all: () => [
      {
        ...{ id: 'c', version: 1, createdAt: 0, updatedAt: 0 },
        ...{ spec, rootCertificate: '', joinSecrets: { worker: '', manager: '' }, removedNodes: {} },
      },
    ],
  };
  const { id: _, ...task } = draftTask('t1', 's1');
  const ownSpec = own === undefined ? task.spec : { ...task.spec, LogDriver: own };
  applyActions(tx, [{ kind: 'create', task: { ...task, spec: ownSpec }, reason: 'test' }]);
  return written[0]?.logDriver;
}

test("a new task without a log driver of its own gets the swarm's default", () => {
  const driver = { Name: 'local', Options: { 'max-size': '1m' } };
  expect(given(driver, undefined)).toEqual(driver);
  expect(given(driver, { Name: 'json-file' })).toBeUndefined();
  expect(given(undefined, undefined)).toBeUndefined();
});
