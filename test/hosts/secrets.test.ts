import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isInMemory, makeMemoryDirectory } from '../../agent/executor/memory-directory.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { must, run } from '../support/run.js';
import { TEST_IMAGE } from '../support/test-image.js';
import type { TestHost } from '../support/test-host.js';

const VALUE = 'value-that-no-disk-may-hold-1';
const ROTATED = 'value-that-no-disk-may-hold-2';

let hosts: Hosts;
let h1: TestHost;
let h2: TestHost;
let scratch: string;
/** In memory, and seen by the Engines' own mounts. */
const runDir = (host: TestHost): string => `/dev/shm/bale-secrets-${process.pid}-${host.name}`;
const start = (host: TestHost): Promise<void> => host.startDaemon([`--run-dir=${runDir(host)}`]);
/** The docker CLI, pointed at bale. */
const docker = (...args: string[]): Promise<string> => must('docker', ['-H', `unix://${h1.baleSocket}`, ...args]);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bale-secrets-'));
  hosts = await startHosts(2, { daemons: false });
  [h1, h2] = [hosts.host(1), hosts.host(2)];
  await Promise.all(hosts.all.map(start));
  await h1.bale('swarm', 'init', `--advertise-addr=${h1.address}`);
  const token = (await h1.bale('swarm', 'join-token', '-q', 'worker')).trim();
  await h2.bale('swarm', 'join', `--token=${token}`, `${h1.address}:2377`);
  await writeFile(join(scratch, 'one'), VALUE);
  await writeFile(join(scratch, 'two'), ROTATED);
  await writeFile(join(scratch, 'conf'), 'host={{.Node.Hostname}} slot={{.Task.Slot}} key={{secret "key"}}');
});
afterAll(async () => {
  const directories = hosts.all.map(runDir);
  await hosts[Symbol.asyncDispose]();
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

const containers = async (host: TestHost): Promise<readonly string[]> =>
  (await host.docker('ps', '-q', '--no-trunc')).split('\n').filter((id) => id !== '');

/** What `script` prints in each running container, in the order of hosts. */
async function inside(script: string): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const host of hosts.all) {
    for (const id of await containers(host)) answers.push((await host.docker('exec', id, 'sh', '-c', script)).trim());
  }
  return answers;
}

/** Files below the hosts' directories (data, journals, images, logs) that hold a text. */
const holding = async (text: string): Promise<string> =>
  (await run('grep', ['-rlaF', '-D', 'skip', text, ...hosts.all.map(({ directory }) => directory)])).stdout;

async function taskFiles(host: TestHost): Promise<readonly string[]> {
  const root = join(runDir(host), 'task-files');
  const nodes = await readdir(root).catch(() => []);
  return (await Promise.all(nodes.map((node) => readdir(join(root, node))))).flat();
}

test('containers get secrets and configs as files in memory, as the docker CLI asked for them', async () => {
  await docker('secret', 'create', '-l', 'app=web', 'key', join(scratch, 'one'));
  await docker('config', 'create', '--template-driver', 'golang', 'conf', join(scratch, 'conf'));
  const options = [
    '--secret',
    'source=key,target=key,uid=33,gid=34,mode=0440',
    '--config',
    'source=conf,target=/etc/conf',
  ];
  const rollout = [
    '--stop-signal',
    'SIGKILL',
    '--update-monitor',
    '1s',
    '--update-parallelism',
    '0',
    '--rollback-monitor',
    '1s',
  ];
  await docker(
    'service',
    'create',
    '-q',
    '--name',
    'web',
    '--replicas',
    '2',
    ...options,
    ...rollout,
    TEST_IMAGE,
    'sleep',
    '1000',
  );

  expect(await inside('cat /run/secrets/key')).toEqual([VALUE, VALUE]);
  expect(await inside('stat -c "%u %g %a" /run/secrets/key')).toEqual(['33 34 440', '33 34 440']);
  expect(await inside('grep -c " /run/secrets/key tmpfs ro" /proc/mounts')).toEqual(['1', '1']);
  expect(await inside('grep -c " /etc/conf tmpfs ro" /proc/mounts')).toEqual(['1', '1']);
  const confs = await inside('cat /etc/conf');
  expect(confs.map((conf) => conf.replace(/slot=\d/, 'slot=N'))).toEqual([
    `host=h1 slot=N key=${VALUE}`,
    `host=h2 slot=N key=${VALUE}`,
  ]);
  expect((await stat(join(runDir(h1), 'task-files'))).mode & 0o077).toBe(0);
});

test('nothing shows the value: no file, log, inspect output or environment', async () => {
  const shown = [
    await docker('secret', 'inspect', 'key'),
    await docker('service', 'inspect', 'web'),
    await h1.bale('service', 'ps', '--no-trunc', 'web'),
    ...(await Promise.all((await containers(h1)).map((id) => h1.docker('inspect', id)))),
    ...(await inside('env')),
  ].join('\n');
  for (const text of [VALUE, Buffer.from(VALUE).toString('base64')]) {
    expect(shown).not.toContain(text);
    expect(await holding(text)).toBe('');
  }
  expect((await run('grep', ['-rlaF', VALUE, join(runDir(h1), 'task-files')])).stdout).not.toBe('');
});

test('a daemon that is killed and started again leaves containers and their files as they are', async () => {
  const before = await containers(h2);
  await h2.stopDaemon('SIGKILL');
  await start(h2);
  await eventually('h2 to be ready', async () => /h2 +Ready/.test(await h1.bale('node', 'ls')));
  expect(await containers(h2)).toEqual(before);
  expect(await inside('cat /run/secrets/key')).toEqual([VALUE, VALUE]);
});

test('new data is rolled out as a version, and a rollback returns to the old one', async () => {
  const [line = ''] = (await docker('secret', 'ls', '--format', '{{.Name}}')).split('\n');
  expect(line).toBe('key');
  await h1.bale('secret', 'rotate', '-q', 'key', join(scratch, 'two'));
  expect(await inside('cat /run/secrets/key')).toEqual([ROTATED, ROTATED]);
  expect(await docker('secret', 'ls', '--format', '{{.Name}}')).toBe('key\n');
  await h1.bale('service', 'rollback', '-q', 'web');
  expect(await inside('cat /run/secrets/key')).toEqual([VALUE, VALUE]);
  expect(await holding(ROTATED)).toBe('');
});

test('what is used is not removed; what is removed leaves nothing on the nodes', async () => {
  const refused = await run('docker', ['-H', `unix://${h1.baleSocket}`, 'secret', 'rm', 'key']);
  expect(refused.stderr).toContain("secret 'key' is in use by the following service: web");
  await docker('service', 'rm', 'web');
  await eventually('the files to be gone', async () => {
    const left = await Promise.all(hosts.all.map(taskFiles));
    return left.flat().length === 0;
  });
  await docker('secret', 'rm', 'key');
  await docker('config', 'rm', 'conf');
  expect(await docker('secret', 'ls', '-q')).toBe('');
});

test('docker stack rm removes the secrets and configs of a stack', async () => {
  const label = 'com.docker.stack.namespace=st';
  await docker('secret', 'create', '-l', label, 'st_key', join(scratch, 'one'));
  await docker('config', 'create', '-l', label, 'st_conf', join(scratch, 'conf'));
  const files = ['--secret', 'st_key', '--config', 'st_conf'];
  await docker(
    'service',
    'create',
    '-d',
    '--name',
    'st_web',
    '--label',
    label,
    '--replicas',
    '0',
    ...files,
    TEST_IMAGE,
  );
  expect(await docker('stack', 'ls', '--format', '{{.Name}} {{.Services}}')).toBe('st 1\n');
  await docker('stack', 'rm', 'st');
  expect(await docker('secret', 'ls', '-q')).toBe('');
  expect(await docker('config', 'ls', '-q')).toBe('');
});

test('where the run directory is on a disk, a memory of our own is mounted', async () => {
  const directory = join(scratch, 'on-disk', 'task-files');
  try {
    await makeMemoryDirectory(directory);
    await makeMemoryDirectory(directory);
    expect(await isInMemory(directory)).toBe(true);
    expect(await isInMemory(scratch)).toBe(false);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  } finally {
    await run('umount', [directory]);
  }
});
