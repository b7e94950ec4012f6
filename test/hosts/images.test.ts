import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../support/registry.js';
import { must, run } from '../support/run.js';
import { socketDocument } from '../support/socket-request.js';
import { makeSwarm, runningTasks, serviceOf, tasksOf } from '../support/swarm-session.js';
import { archiveOf, importImage, TEST_IMAGE } from '../support/test-image.js';
import type { TestHost } from '../support/test-host.js';

let hosts: Hosts;
let h1: TestHost;
let open: TestRegistry;
let closed: TestRegistry;
let scratch: string;
const configBefore = process.env.DOCKER_CONFIG;
/** Of the nodes; each of the users of h1 has a directory of its own. */
const nodesConfig = (): string => join(scratch, 'nodes');

/** The docker CLI of a user, pointed at bale. */
const docker = (user: string, ...args: string[]) =>
  run('docker', ['--config', join(scratch, user), '-H', `unix://${h1.baleSocket}`, ...args]);

const login = (user: string, password: string): Promise<void> => {
  const auth = Buffer.from(`${REGISTRY_USER.name}:${password}`).toString('base64');
  return writeFile(join(scratch, user, 'config.json'), JSON.stringify({ auths: { [closed.name]: { auth } } }));
};

/** Puts an image into a registry and leaves nothing of it on the host. */
async function publish(image: string, source = TEST_IMAGE): Promise<void> {
  await h1.docker('tag', source, image);
  await must('docker', ['--config', join(scratch, 'right'), '-H', `unix://${h1.engineSocket}`, 'push', '-q', image]);
  await h1.docker('rmi', image);
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bale-images-'));
  for (const user of ['right', 'wrong', 'nodes', 'tree']) await must('mkdir', [join(scratch, user)]);
  process.env.DOCKER_CONFIG = nodesConfig(); // the daemons' own, and that of the bale CLI
  hosts = await startHosts(3, { insecureRegistries: true });
  h1 = hosts.host(1);
  open = await startRegistry(hosts.gateway, { users: false });
  closed = await startRegistry(hosts.gateway, { users: true });
  await login('right', REGISTRY_USER.password);
  await login('wrong', 'wrong-password-of-the-registry');
  await makeSwarm(hosts);
});

afterAll(async () => {
  if (configBefore === undefined) delete process.env.DOCKER_CONFIG;
  else process.env.DOCKER_CONFIG = configBefore;
  await open[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
  await hosts[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

/** The images that the containers of a service run, by their content: each different one once. */
async function contents(service: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const host of hosts.all) {
    const ids = (await host.docker('ps', '-q', '--filter', `label=com.docker.swarm.service.name=${service}`)).trim();
    for (const id of ids.split('\n').filter((one) => one !== '')) {
      found.add((await host.docker('inspect', '-f', '{{.Image}}', id)).trim());
    }
  }
  return [...found];
}

const create = (name: string, ...args: string[]): Promise<string> =>
  h1.bale('service', 'create', '-d', '--name', name, ...args);

test('every node runs the same bytes, although the tag moves in between', async () => {
  const image = `${open.name}/app:1`;
  await publish(image);
  await create('moved', '--replicas', '1', '--replicas-max-per-node', '1', image);
  await runningTasks(h1, 'moved', 1);
  const first = await contents('moved');
  expect(first).toHaveLength(1);

  await writeFile(join(scratch, 'tree', 'marker'), 'other bytes');
  await importImage(h1.engineSocket, 'bytes:2', '/serve', await archiveOf(join(scratch, 'tree')));
  await publish(image, 'bytes:2');
  await h1.bale('service', 'scale', '-d', 'moved=3');
  await runningTasks(h1, 'moved', 3);
  expect(await contents('moved')).toEqual(first);
  expect((await serviceOf(h1, 'moved')).Spec.TaskTemplate.ContainerSpec.Image).toMatch(/\/app:1@sha256:[0-9a-f]{64}$/);
  await h1.bale('service', 'rm', 'moved');
});

test('an image that a client did not pin is pinned once, and stays so when the same spec is sent again', async () => {
  const image = `${open.name}/sdk:1`;
  await publish(image);
  const spec = { Name: 'sdk', TaskTemplate: { ContainerSpec: { Image: image } } };
  const post = (path: string) => socketDocument<unknown>(h1.baleSocket, path, { method: 'POST', body: spec });
  expect(await post('/services/create')).not.toHaveProperty('Warnings');
  const made = await serviceOf(h1, 'sdk');
  expect(made.Spec.TaskTemplate.ContainerSpec.Image).toMatch(/\/sdk:1@sha256:/);
  await post(`/services/sdk/update?version=${made.Version.Index}`);
  expect(await serviceOf(h1, 'sdk')).toMatchObject({ Version: made.Version, Spec: made.Spec });
  await h1.bale('service', 'rm', 'sdk');
});

test('an image that is on the nodes alone needs no registry', async () => {
  for (const host of hosts.all) {
    // Of a content of its own: that of the test image has been in a registry by now.
    const container = (await host.docker('create', TEST_IMAGE)).trim();
    await host.docker('commit', '-c', 'ENV ALONE=yes', container, 'alone:1');
    await host.docker('rm', container);
  }
  const create = ['service', 'create', '-d', '--name', 'local', '--replicas', '3', 'alone:1'];
  const { code, stderr } = await h1.tryBale(...create);
  // A registry that is asked in vain would be told of.
  const words =
    'image alone:1 is on this machine and was never in a registry: each node that is to run it must have it';
  expect([code, stderr]).toEqual([0, `${words}\n`]);
  await runningTasks(h1, 'local', 3);
  expect((await serviceOf(h1, 'local')).Spec.TaskTemplate.ContainerSpec.Image).toBe('alone:1');
  await h1.bale('service', 'rm', 'local');
});

test('a tag that a node has is asked for again only where the service says so', async () => {
  const image = `${open.name}/fresh:1`;
  await publish(image);
  const on = ['--no-resolve-image', '--constraint', 'node.hostname==h2'];
  const run = async (name: string, ...args: string[]): Promise<readonly string[]> => {
    await create(name, ...on, ...args, image);
    await runningTasks(h1, name, 1);
    return contents(name);
  };
  const first = await run('first');
  const container = (await h1.docker('create', TEST_IMAGE)).trim();
  await h1.docker('commit', '-c', 'ENV BYTES=other', container, 'bytes:3');
  await h1.docker('rm', container);
  await publish(image, 'bytes:3');
  expect(await run('kept')).toEqual(first);
  expect(await run('missing', '--label', 'bale.image.pull=missing')).toEqual(first);
  expect(await run('always', '--label', 'bale.image.pull=always')).not.toEqual(first);
  await h1.bale('service', 'rm', 'first', 'kept', 'missing', 'always');
});

test('twenty tasks of one node pull once', async () => {
  const image = `${open.name}/many:1`;
  await publish(image);
  const since = Math.floor(Date.now() / 1000) - 1;
  await create('many', '--replicas', '20', '--constraint', 'node.hostname==h3', image);
  await runningTasks(h1, 'many', 20, 60);
  const until = Math.floor(Date.now() / 1000) + 1;
  const filters = ['--filter', 'event=pull', '--since', `${since}`, '--until', `${until}`];
  const events = (await hosts.host(3).docker('events', ...filters)).trim().split('\n');
  expect(events).toEqual([expect.stringContaining('/many')]);
  await h1.bale('service', 'rm', 'many');
});

const errors = async (service: string): Promise<string> =>
  (await docker('right', 'service', 'ps', '--no-trunc', '--format', '{{.CurrentState}} {{.Error}}', service)).stdout;

test('without credentials, or with wrong ones, the words of the registry are in service ps', async () => {
  const image = `${closed.name}/private:1`;
  await publish(image);
  await create('bare', '--replicas', '1', image);
  await eventually('the refusal', async () => /Rejected .*no basic auth credentials/.test(await errors('bare')));
  await h1.bale('service', 'rm', 'bare');

  const { code, stderr } = await docker(
    'wrong',
    'service',
    'create',
    '-d',
    '--with-registry-auth',
    '--name',
    'wrong',
    image,
  );
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('could not be accessed on a registry') as string,
  });
  await eventually('the refusal', async () =>
    /Rejected .*unauthorized: authentication required/.test(await errors('wrong')),
  );
  await h1.bale('service', 'rm', 'wrong');
});

test('credentials of docker service create --with-registry-auth reach the nodes, and nothing else', async () => {
  const image = `${closed.name}/private:1`;
  const args = ['--name', 'private', '--replicas', '3', '--replicas-max-per-node', '1', '--with-registry-auth'];
  const made = await docker('right', 'service', 'create', '-d', ...args, image);
  expect(made).toMatchObject({ code: 0 });
  await runningTasks(h1, 'private', 3);
  expect(await contents('private')).toHaveLength(1);
  const shown = JSON.stringify([await serviceOf(h1, 'private'), await tasksOf(h1, 'private')]);
  const where = hosts.all.flatMap(({ directory }) => [join(directory, 'bale'), join(directory, 'bale.log')]);
  for (const secret of [REGISTRY_USER.password, Buffer.from(REGISTRY_USER.password).toString('base64').slice(0, 24)]) {
    expect(shown).not.toContain(secret);
    expect((await run('grep', ['-rlaF', '-D', 'skip', secret, ...where])).stdout).toBe('');
  }
  await h1.bale('service', 'rm', 'private');
});

test('a service without credentials is pulled with those that the node has at that moment', async () => {
  const image = `${closed.name}/own:1`;
  await publish(image);
  await login('nodes', REGISTRY_USER.password);
  await create('own', '--replicas', '3', '--replicas-max-per-node', '1', image);
  await runningTasks(h1, 'own', 3);
  await rm(join(nodesConfig(), 'config.json'));
  await h1.bale('service', 'rm', 'own');
});
