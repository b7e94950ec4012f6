import { expect, test } from 'vitest';
import { assignment } from '../../../support/assignments.js';
import { WorkerBench } from '../../../support/worker-bench.js';

const File = { Name: 'key', UID: '0', GID: '0', Mode: 0o400 };
const withSecret = (desiredState: 'ready' | 'running' | 'shutdown' = 'running') =>
  assignment('t1', { desiredState, container: { Secrets: [{ SecretID: 's1', SecretName: 'key', File }] } });

function bench(): WorkerBench {
  const made = new WorkerBench();
  made.shelf.put([{ kind: 'secret', id: 's1', name: 'key', data: Buffer.from('v'), templated: false }]);
  return made;
}

test('a container that was created gets its files again before it is started', async () => {
  const worker = bench();
  await worker.complete(withSecret('ready'));
  expect(worker.state('t1')).toBe('ready');
  worker.node.forgetFiles();
  await worker.complete(withSecret('running'));
  expect(worker.state('t1')).toBe('running');
  expect(worker.node.files('t1')).toEqual({ '/run/secrets/key': 'v' });
});

test('files go when the task has ended, though its container is kept', async () => {
  const worker = bench();
  await worker.complete(withSecret());
  worker.node.end('t1', 1);
  await worker.rest();
  expect(worker.state('t1')).toBe('failed');
  expect(worker.node.container('t1')?.phase).toBe('exited');
  expect(worker.node.files('t1')).toEqual({});
});

test('a task whose secret is not there is rejected by name, and none is missed by one that is told to end', async () => {
  const worker = new WorkerBench();
  await worker.complete(withSecret());
  expect(worker.latest.get('t1')).toMatchObject({
    State: 'rejected',
    Err: 'secret key (s1) is not known to the manager any more; update the service',
  });
  const other = new WorkerBench();
  await other.complete(withSecret('shutdown'));
  expect(other.state('t1')).toBe('shutdown');
});
