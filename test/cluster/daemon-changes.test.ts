import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RebalanceDocument, ServiceDocument } from '../../proto/engine/service-document.js';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';
import { serviceBody } from '../support/service-body.js';

let api: DaemonApi;
let nodeId: string;
beforeAll(async () => {
  api = await DaemonApi.start();
  nodeId = (await api.nodes())[0]?.ID ?? '';
});
afterAll(() => api.end());

const STALE = { status: 500, message: 'rpc error: code = Unknown desc = update out of sequence' };
const QUICK = { Monitor: 50e6 };

const withImage = (Spec: ServiceDocument['Spec'], Image: string): object => ({
  ...Spec,
  TaskTemplate: { ...Spec.TaskTemplate, ContainerSpec: { ...Spec.TaskTemplate.ContainerSpec, Image } },
});
const imageOf = ({ Spec }: Pick<ServiceDocument, 'Spec'>): string => Spec.TaskTemplate.ContainerSpec.Image;
const statusOf = ({ UpdateStatus }: ServiceDocument): string | undefined => UpdateStatus?.State;

test('of updates of one version at once exactly one is written', async () => {
  const { ID, Version, Spec } = await api.create({ Name: 'race', UpdateConfig: QUICK });
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_none, index) =>
      api.ask('POST', `/services/${ID}/update?version=${Version.Index}`, {
        body: { ...withImage(Spec, `bb:${index + 10}`) },
      }),
    ),
  );
  const won = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  expect(won).toHaveLength(1);
  for (const answer of answers.filter(({ status }) => status !== 200)) expect(refusalOf(answer)).toEqual(STALE);
  expect(imageOf(await api.service(ID))).toBe(`bb:${(won[0] ?? 0) + 10}`);
  expect(await api.history(ID)).toHaveLength(1);
});

test('of updates and drains of one version of a node exactly one is written', async () => {
  const { ID, Version, Spec } = await api.join('racer');
  const answers = await Promise.all([
    ...['a', 'b', 'c'].map((value) =>
      api.ask('POST', `/nodes/${ID}/update?version=${Version.Index}`, { body: { ...Spec, Labels: { value } } }),
    ),
    ...[1, 2, 3].map((most) =>
      api.ask('POST', `/bale/nodes/${ID}/drain?version=${Version.Index}&max-parallel=${most}`),
    ),
  ]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const answer of answers.filter(({ status }) => status !== 200)) expect(refusalOf(answer)).toEqual(STALE);
  const { Version: now } = await api.get<{ Version: { Index: number } }>(`/nodes/${ID}`);
  await api.ask('POST', `/nodes/${ID}/update?version=${now.Index}`, { body: { ...Spec, Availability: 'pause' } });
});

test('power over nodes that the daemon was not told to allow is forbidden', async () => {
  const body = serviceBody({ Name: 'strong', Labels: { 'bale.devices': '/dev/kvm', 'bale.ipc': 'host' } });
  const answer = await api.ask('POST', '/services/create', { body });
  expect(refusalOf(answer)).toEqual({
    status: 403,
    message:
      'service strong: label "bale.devices" gives the container devices of its node; label "bale.ipc" gives the container the shared memory of the processes of its node. The manager does not allow it: start its daemon with --allow devices,host-ipc',
  });
});

test('the last ten specs are kept, and each can be gone back to', async () => {
  const { ID } = await api.create({ Name: 'past', Mode: { Replicated: { Replicas: 0 } } });
  for (let number = 2; number <= 13; number += 1) await api.update(ID, (spec) => withImage(spec, `bb:${number}`));
  const history = await api.history(ID);
  const images = history.map(imageOf);
  expect(images).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((number) => `bb:${number}`));
  const oldest = history.at(-1)?.Version.Index ?? 0;
  expect(history.map(({ Version }) => Version.Index)).toEqual(
    history.map(({ Version }) => Version.Index).sort((a, b) => b - a),
  );

  expect(await api.ask('POST', `/bale/services/past/rollback?to=${oldest}`)).toMatchObject({
    status: 200,
    text: '{"Warnings":null}\n',
  });
  expect(imageOf(await api.service(ID))).toBe('bb:3');
  expect((await api.history(ID)).map(imageOf)).toEqual(['bb:13', ...images.slice(0, 9)]);
  const gone = refusalOf(await api.ask('POST', `/bale/services/past/rollback?to=${oldest}`));
  expect(gone.status).toBe(404);
  expect(gone.message).toContain(`has no earlier spec of version ${oldest}; it has `);

  const { Version } = await api.service(ID);
  await api.ask('POST', `/services/${ID}/update?version=${Version.Index}&rollback=previous`, { body: serviceBody() });
  expect(imageOf(await api.service(ID))).toBe('bb:13');
  await api.until(ID, 'the end of the rollback', (service) => statusOf(service) === 'rollback_completed');
});

test('a spec whose secret is gone cannot be gone back to, and nothing changes', async () => {
  const secret = { Name: 'key', Data: Buffer.from('x').toString('base64') };
  const { text } = await api.ask('POST', '/secrets/create', { body: secret });
  const SecretID = (JSON.parse(text) as { ID: string }).ID; // our own answer, of this form
  const reference = { SecretID, SecretName: 'key', File: { Name: 'key', UID: '0', GID: '0', Mode: 0o400 } };
  const { ID, Version } = await api.create({
    Name: 'keyed',
    Mode: { Replicated: { Replicas: 0 } },
    TaskTemplate: { ContainerSpec: { Secrets: [reference] } },
  });
  await api.update(ID, (spec) => ({
    ...spec,
    TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { Image: 'bb:2' } },
  }));
  expect(await api.ask('DELETE', `/secrets/${SecretID}`)).toMatchObject({ status: 204 });
  const before = await api.written();
  const { Version: present } = await api.service(ID);
  for (const path of [
    `/bale/services/${ID}/rollback?to=${Version.Index}`,
    `/services/${ID}/update?version=${present.Index}&rollback=previous`,
  ]) {
    expect(refusalOf(await api.ask('POST', path, { body: serviceBody() }))).toEqual({
      status: 400,
      message: 'rpc error: code = InvalidArgument desc = secret not found: key',
    });
  }
  expect(await api.written()).toEqual(before);
});

test('while a service is updated its rebalance is refused, and answers with its moves after that', async () => {
  const { ID } = await api.create({ Name: 'moving', UpdateConfig: { Monitor: 60e9 } });
  await api.until(ID, 'its tasks', ({ waiting = [] }) => waiting.length === 0);
  await api.update(ID, (spec) => withImage(spec, 'bb:2'));
  expect(refusalOf(await api.ask('POST', `/bale/services/${ID}/rebalance`))).toEqual({
    status: 400,
    message: `rpc error: code = FailedPrecondition desc = service ${ID} is being updated; rebalance it when the update has ended`,
  });
  await api.update(ID, (spec) => ({ ...spec, UpdateConfig: QUICK }));
  await api.until(ID, 'the end of the update', (service) => statusOf(service) === 'completed');
  const there = await api.join('roomy');
  const answer = await api.ask('POST', `/bale/services/${ID}/rebalance`);
  const { moves } = JSON.parse(answer.text) as RebalanceDocument; // our own answer, of this form
  expect(moves).toMatchObject([{ slot: 2, from: { nodeId }, to: { nodeId: there.ID } }]);
  await api.until(ID, 'the move', ({ waiting = [] }) => waiting.length === 0);
});

test('a drain shows its limits and what is left, also when they are asked for again', async () => {
  const { ID } = await api.join('emptied');
  expect((await api.ask('POST', `/bale/nodes/${ID}/drain?deadline=576h&max-parallel=999999999`)).status).toBe(200);
  const drained = (await api.nodes()).find((one) => one.ID === ID);
  expect(drained).toMatchObject({ Spec: { Availability: 'drain' }, drain: { maxParallel: 999_999_999, tasksLeft: 0 } });
  const { since = '', deadline = '' } = drained?.drain ?? {};
  expect(Date.parse(deadline) - Date.parse(since)).toBe(576 * 3_600_000);
  expect((await api.ask('POST', `/bale/nodes/${ID}/drain`)).status).toBe(200);
  expect((await api.nodes()).find((one) => one.ID === ID)?.drain).toEqual({
    since: expect.any(String) as string,
    tasksLeft: 0,
  });
});
