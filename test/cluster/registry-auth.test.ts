import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { serviceBody } from '../support/service-body.js';

const IMAGE = 'reg.test:5000/app:1';
const registryAuth = { username: 'u', password: 'password-that-no-disk-may-hold' };
const changed = { username: 'u', password: 'another-that-no-disk-may-hold' };

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startCluster({ workers: 2, engine: { images: [], registry: [IMAGE, 'reg.test:5000/app:2'] } });
});
afterEach(() => cluster.close());

const body = (Image: string, Replicas: number) =>
  serviceBody({
    Name: 'web',
    Mode: { Replicated: { Replicas } },
    TaskTemplate: { ContainerSpec: { Image }, Placement: { MaxReplicas: 1 } },
    UpdateConfig: { Parallelism: 3, Monitor: 100_000_000 },
  });
const pulls = (): readonly (string | undefined)[] => cluster.nodes.flatMap(({ engine }) => engine.pulledWith);
const times = (count: number, auth: unknown): string[] => Array<string>(count).fill(JSON.stringify(auth));

test('nodes that run a task of a service pull with its credentials, and no other node gets them', async () => {
  await cluster.api.createService(body(IMAGE, 2), { registryAuth });
  await cluster.untilRunning('web', 2);
  expect(pulls()).toEqual(times(2, registryAuth));

  const { Version } = cluster.api.service('web', false);
  const next = body('reg.test:5000/app:2', 2);
  await cluster.api.updateService('web', String(Version.Index), next, { rollback: undefined, registryAuth: changed });
  await cluster.until('the update to be done', (api) => api.service('web', false).UpdateStatus?.State === 'completed');
  expect(pulls().slice().sort()).toEqual([...times(2, registryAuth), ...times(2, changed)].sort());
});

test('a manager that starts again still has them, and no disk has them in clear', async () => {
  await cluster.api.createService(body(IMAGE, 1), { registryAuth });
  await cluster.untilRunning('web', 1);
  await cluster.restartManager();
  await cluster.scale('web', 3);
  await cluster.untilRunning('web', 3);
  expect(pulls()).toEqual(times(3, registryAuth));
  // While it runs its journal may put one file in the place of another.
  await cluster.manager.close();
  for (const file of await readdir(cluster.stateDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = await readFile(join(file.parentPath, file.name));
    expect(bytes.includes(registryAuth.password)).toBe(false);
    expect(bytes.includes(Buffer.from(JSON.stringify(registryAuth)).toString('base64'))).toBe(false);
  }
});
