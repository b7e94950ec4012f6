import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serviceSpecShape } from '../../proto/engine/service-spec-shape.js';
import type { SwarmDocument } from '../../proto/engine/swarm-document.js';
import { eventually } from '../support/eventually.js';
import { bodyWith, fieldPaths, valueAt } from '../support/field-paths.js';
import { FIELD_PROOFS, VALUES_REFUSED, type Proof } from '../support/field-proofs.js';
import { fieldServices, mountedService, MOUNTS_REFUSED_BY_NODES } from '../support/field-services.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { socketDocument, socketRequest } from '../support/socket-request.js';
import { makeSwarm, serviceOf, tasksOf } from '../support/swarm-session.js';
import type { TestHost } from '../support/test-host.js';

/**
 * One row for each field of a ServiceSpec, made from the register of fields (proto/engine/*-shape.ts): what
 * is said to be implemented does something on a real Engine, and the rest is refused by name. A field without
 * a row fails.
 */

const FIELDS = fieldPaths(serviceSpecShape.fields);
const read = FIELDS.filter(({ mark }) => mark !== 'refused').map(({ path }) => path);
const refused = FIELDS.filter(({ mark }) => mark === 'refused').map(({ path }) => path);

/** In memory, for secrets. */
const runDirectory = `/dev/shm/bale-fields-${process.pid}`;
let hosts: Hosts;
let host: TestHost;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bale-fields-'));
  await writeFile(join(scratch, 'here'), '');
  hosts = await startHosts(1, { daemons: false });
  host = hosts.host(1);
  const resources = ['--generic-resource=gpu=u1,gpu=u2', '--generic-resource=ssd=4'];
  await host.startDaemon([`--run-dir=${runDirectory}`, ...resources]);
  await makeSwarm(hosts);
  const [secretId, configId] = [await payload('secrets', 'key', 'hush'), await payload('configs', 'conf', 'a config')];
  for (const body of fieldServices({ secretId, configId, directory: scratch })) await create(body);
  for (const [index, [, mount]] of MOUNTS_REFUSED_BY_NODES.entries()) {
    await create(mountedService(`refused-${index}`, mount));
  }
});

afterAll(async () => {
  await hosts[Symbol.asyncDispose]();
  await rm(runDirectory, { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

const create = (body: unknown): Promise<{ readonly ID: string }> =>
  socketDocument(host.baleSocket, '/services/create', { method: 'POST', body });

async function payload(kind: 'secrets' | 'configs', Name: string, text: string): Promise<string> {
  const body = { Name, Data: Buffer.from(text).toString('base64') };
  const { ID } = await socketDocument<{ ID: string }>(host.baleSocket, `/${kind}/create`, { method: 'POST', body });
  return ID;
}

describe('each field of a ServiceSpec', () => {
  test('has a row', () => {
    expect(Object.keys(FIELD_PROOFS).sort()).toEqual([...read].sort());
    const partly = FIELDS.filter(({ mark }) => mark === 'partly').map(({ path }) => path);
    expect(Object.keys(VALUES_REFUSED).sort()).toEqual(partly.sort());
  });

  test.each(refused)('%s is refused by name', async (path) => {
    await expectRefusal(path, bodyWith(path, { any: 'thing' }));
  });

  test.each(Object.entries(VALUES_REFUSED))('%s is refused by name when it is %j', async (path, value) => {
    await expectRefusal(path, bodyWith(path, value));
  });

  test.each(Object.entries(FIELD_PROOFS))('%s takes effect', (_path, proof) => expectEffect(proof));
});

test.each(MOUNTS_REFUSED_BY_NODES.map(([name], index) => [name, index] as const))(
  '%s: the task says what its node found',
  async (_name, index) => {
    const says = MOUNTS_REFUSED_BY_NODES[index]?.[2] ?? /./;
    await eventually('the refusal', async () =>
      says.test(await host.bale('service', 'ps', '--no-trunc', `refused-${index}`)),
    );
    const [task] = await tasksOf(host, `refused-${index}`);
    expect(['rejected', 'failed']).toContain(task?.Status.State);
  },
);

test("the swarm's default log driver is that of new tasks, and replaces none", async () => {
  const before = await tasksOf(host, 'forced');
  const { Version, Spec } = await socketDocument<SwarmDocument>(host.baleSocket, '/swarm');
  const body = {
    ...Spec,
    TaskDefaults: { LogDriver: { Name: 'json-file', Options: { 'max-file': '2', 'max-size': '3m' } } },
  };
  await socketDocument(host.baleSocket, `/swarm/update?version=${Version.Index}`, { method: 'POST', body });
  await create(mountedService('logged', { Type: 'tmpfs', Target: '/a' }));
  const config = { 'max-file': '2', 'max-size': '3m' };
  expect(valueAt(await inspected('logged'), 'HostConfig LogConfig')).toEqual({ Type: 'json-file', Config: config });
  expect((await tasksOf(host, 'forced')).map(({ ID }) => ID)).toEqual(before.map(({ ID }) => ID));
});

async function expectRefusal(path: string, body: unknown): Promise<void> {
  const { status, text } = await socketRequest(host.baleSocket, '/services/create', { method: 'POST', body });
  const named = path.replaceAll('[]', '[0]');
  expect({ status, text }).toEqual({ status: 501, text: expect.stringContaining(`"${named}`) as unknown });
  expect(text).toContain('is not implemented yet');
}

async function expectEffect(proof: Proof): Promise<void> {
  switch (proof.kind) {
    case 'inspect':
      expect(valueAt(await inspected(proof.service), proof.path)).toEqual(proof.is);
      return;
    case 'inside': {
      const id = String(valueAt(await inspected(proof.service), 'Id'));
      const script = ['exec', id, 'sh', '-c', `${proof.script} || true`];
      expect((await host.docker(...script)).trim()).toEqual(proof.is);
      return;
    }
    case 'kernel':
      await eventually(`${proof.service} to show its limit or to say why not`, async () => {
        const [task] = await tasksOf(host, proof.service);
        if (task?.Status.State === 'rejected') return proof.says.test(task.Status.Err ?? '');
        return (
          task?.Status.State === 'running' && valueAt(await inspectRunning(proof.service), proof.path) === proof.is
        );
      });
      return;
    case 'service':
      expect(valueAt(await serviceOf(host, proof.service), proof.path)).toEqual(proof.is);
      return;
    case 'waits':
      await eventually(`${proof.service} to say what it waits for`, async () => {
        const tasks = await tasksOf(host, proof.service);
        return tasks.some(
          ({ Status }) => Status.State === 'pending' && proof.says.test(Status.Err ?? Status.Message ?? ''),
        );
      });
      return;
    case 'tasks':
      await eventually(`tasks of ${proof.service} that are ${proof.states.join(', ')}`, async () => {
        const states = (await tasksOf(host, proof.service)).map(({ Status }) => Status.State).sort();
        return JSON.stringify(states) === JSON.stringify(proof.states);
      });
      return;
    case 'time': {
      const took = proof.of === 'start' ? await timeToStart(proof.service) : await timeToRestart(proof.service);
      expect(took).toBeGreaterThanOrEqual(proof.least);
      expect(took).toBeLessThanOrEqual(proof.most);
      return;
    }
    case 'elsewhere':
      expect(await readFile(proof.file, 'utf8')).toContain(proof.title);
  }
}

const inspections = new Map<string, Promise<unknown>>();

/** `docker inspect` of the container of a service that runs; looked at once for all rows. */
function inspected(service: string): Promise<unknown> {
  const known = inspections.get(service) ?? inspectRunning(service);
  inspections.set(service, known);
  return known;
}

const inspectRunning = (service: string): Promise<unknown> =>
  eventually(
    `a container of ${service}`,
    async () => {
      const tasks = await tasksOf(host, service);
      const id = tasks.find(({ Status }) => Status.State === 'running')?.Status.ContainerStatus?.ContainerID;
      if (id === undefined) throw new Error(JSON.stringify(tasks.map(({ Status }) => Status)));
      const [document]: unknown[] = JSON.parse(await host.docker('inspect', id)) as unknown[]; // always a list
      return document;
    },
    { seconds: 120 },
  );

async function timeToStart(service: string): Promise<number> {
  const startedAt = Date.parse(String(valueAt(await inspected(service), 'State StartedAt')));
  const [task] = await tasksOf(host, service);
  return Date.parse(task?.Status.Timestamp ?? '') - startedAt;
}

const timeToRestart = (service: string): Promise<number> =>
  eventually(`${service} to have failed twice`, async () => {
    const ends = (await tasksOf(host, service))
      .filter(({ Status }) => Status.State === 'failed')
      .map(({ Status }) => Date.parse(Status.Timestamp))
      .sort((a, b) => a - b);
    const [first, second] = ends;
    return first === undefined || second === undefined ? undefined : second - first;
  });
