import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isTerminal } from '../../proto/engine/task-state.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';

const VALUE = 'a-value-that-no-disk-may-hold';
const ROTATED = 'another-value-that-no-disk-may-hold';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startCluster({ workers: 2 });
});
afterEach(() => cluster.close());

const File = { Name: 'key', UID: '0', GID: '0', Mode: 0o400 };
const withFiles = (secret: string, config: string) => ({
  TaskTemplate: {
    ContainerSpec: {
      Secrets: [{ SecretID: secret, SecretName: 'key', File }],
      Configs: [{ ConfigID: config, ConfigName: 'conf', File: { ...File, Name: '/etc/conf' } }],
    },
  },
  UpdateConfig: { Parallelism: 2, Monitor: 100_000_000 },
});

/** What the running containers of the whole cluster have as files, each different set once. */
function filesInUse(): readonly Readonly<Record<string, string>>[] {
  const all = cluster.nodes.flatMap(({ engine, runningTasks }) => runningTasks.map((id) => engine.files(id)));
  return [...new Map(all.map((files) => [JSON.stringify(files), files])).values()];
}

const settled = (state: string): Promise<unknown> =>
  cluster.until(`the service to be ${state}`, (api) => api.service('web', false).UpdateStatus?.State === state);

async function create(): Promise<void> {
  const secret = await cluster.api.secrets.create({ Name: 'key', Data: base64(VALUE) });
  const config = await cluster.api.configs.create({
    Name: 'conf',
    Data: base64('{{.Service.Name}} {{secret "key"}}'),
    Templating: { Name: 'golang' },
  });
  await cluster.createService('web', 2, withFiles(secret.ID, config.ID));
  await cluster.untilRunning('web', 2);
}

test('containers get their files; a new version is rolled out and rolled back', async () => {
  await create();
  expect(filesInUse()).toEqual([{ '/run/secrets/key': VALUE, '/etc/conf': `web ${VALUE}` }]);

  const { services } = await cluster.api.secrets.rotate('key', { Data: base64(ROTATED) });
  expect(services).toEqual(['web']);
  await settled('completed');
  expect(filesInUse()).toEqual([{ '/run/secrets/key': ROTATED, '/etc/conf': `web ${ROTATED}` }]);

  const { Spec, Version } = cluster.api.service('web', false);
  await cluster.api.updateService('web', String(Version.Index), Spec, { rollback: 'previous' });
  await settled('rollback_completed');
  expect(filesInUse()).toEqual([{ '/run/secrets/key': VALUE, '/etc/conf': `web ${VALUE}` }]);
});

test('nothing of the data is on the manager’s disk, and a manager that starts again still has it', async () => {
  await create();
  await cluster.restartManager();
  for (const file of await readdir(cluster.stateDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = await readFile(join(file.parentPath, file.name));
    for (const text of [VALUE, base64(VALUE), 'Service.Name}} {{secret']) expect(bytes.includes(text)).toBe(false);
  }
  await cluster.scale('web', 3);
  await cluster.untilRunning('web', 3);
  expect(filesInUse()).toHaveLength(1);
});

test('files go when their task has ended, and an agent that starts again leaves those of running ones', async () => {
  await create();
  for (const node of cluster.nodes) {
    await node.stop();
    await node.startAgent();
  }
  await cluster.untilRunning('web', 2);
  expect(filesInUse()).toHaveLength(1);
  const before = cluster.nodes.flatMap(({ engine, runningTasks }) => runningTasks.map((id) => ({ engine, id })));
  await cluster.scale('web', 0);
  await cluster.until('no task to run', (api) =>
    api.tasks({ service: ['web'] }).every(({ Status }) => isTerminal(Status.State)),
  );
  await eventually('the files to be gone', () =>
    Promise.resolve(before.every(({ engine, id }) => Object.keys(engine.files(id)).length === 0)),
  );
});

test('versions that no service can come back to are forgotten', async () => {
  await create();
  await cluster.api.secrets.rotate('key', { Data: base64(ROTATED) });
  expect(cluster.api.secrets.versions('key')).toHaveLength(2);
  await cluster.api.removeService('web');
  await cluster.until('the old version to be gone', (api) => api.secrets.versions('key').length === 1);
  expect(cluster.api.secrets.versions('key')).toMatchObject([{ dataVersion: 2 }]);
});
