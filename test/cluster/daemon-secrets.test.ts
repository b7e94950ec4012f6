import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonCluster, type DaemonNode } from '../support/daemon-cluster.js';

let cluster: DaemonCluster;
let node: DaemonNode;
beforeAll(async () => {
  cluster = await DaemonCluster.start();
  node = await cluster.node('m');
  await node.client.ask('/swarm/init', { method: 'POST', body: { ListenAddr: '0.0.0.0:2377' } });
});
afterAll(() => cluster.end());

const ask = async (method: string, path: string, body?: unknown) => {
  const options = body === undefined ? { method } : { method, body: body as Record<string, unknown> };
  const { status, text } = await node.client.ask(`/v1.41${path}`, options);
  return { status, answer: text === '' ? undefined : (JSON.parse(text) as unknown) };
};

const Data = Buffer.from('s3cr3t').toString('base64');

/** In order: each case goes on from the one before. */
describe.each([
  ['secrets', 'secret', {}],
  ['configs', 'config', { Data }],
] as const)('/%s', (nouns, noun, shown) => {
  let id: string;

  test('answers with the statuses and documents of an Engine', async () => {
    expect(await ask('GET', `/${nouns}`)).toEqual({ status: 200, answer: [] });
    const created = await ask('POST', `/${nouns}/create`, { Name: 'wsec', Labels: { k: 'v' }, Data });
    expect(created).toEqual({ status: 201, answer: { ID: expect.stringMatching(/^[0-9a-z]{25}$/) as string } });
    id = (created.answer as { ID: string }).ID;
    const document = {
      ID: id,
      Version: { Index: expect.any(Number) as number },
      CreatedAt: expect.any(String) as string,
      UpdatedAt: expect.any(String) as string,
      Spec: { Name: 'wsec', Labels: { k: 'v' }, ...shown },
      dataVersion: 1,
    };
    expect(await ask('GET', `/${nouns}`)).toEqual({ status: 200, answer: [document] });
    for (const wanted of [id, 'wsec', id.slice(0, 8)]) {
      expect(await ask('GET', `/${nouns}/${wanted}`)).toEqual({ status: 200, answer: document });
    }
    const filters = encodeURIComponent('{"name":{"other":true}}');
    expect(await ask('GET', `/${nouns}?filters=${filters}`)).toEqual({ status: 200, answer: [] });
  });

  test('refuses with the statuses and texts of an Engine', async () => {
    const refusals = [
      await ask('POST', `/${nouns}/create`, { Name: 'wsec', Data }),
      await ask('GET', `/${nouns}/nope`),
      await ask('DELETE', `/${nouns}/nope`),
      await ask('POST', `/${nouns}/wsec/update`, { Name: 'wsec' }),
      await ask('POST', `/${nouns}/wsec/update?version=1`, { Name: 'wsec', Data: 'AAAA' }),
      await ask('POST', `/${nouns}/wsec/update?version=999`, { Name: 'wsec' }),
      await ask('POST', `/${nouns}/create`),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([409, 404, 404, 400, 400, 500, 400]);
    const rpc = 'rpc error: code =';
    expect(refusals.slice(0, 6).map(({ answer }) => (answer as { message: string }).message)).toEqual([
      `${rpc} AlreadyExists desc = ${noun} wsec already exists`,
      `${noun} nope not found`,
      `${noun} nope not found`,
      `invalid ${noun} version`,
      `${rpc} InvalidArgument desc = only updates to Labels are allowed`,
      `${rpc} Unknown desc = update out of sequence`,
    ]);
  });

  test('a body that is no JSON is refused without repeating it', async () => {
    const headers = { 'Content-Type': 'application/json' };
    for (const body of [`{"Name":"x","Data":"s3cr3t"`, `{"Data":"s3cr3t" s3cr3t}`, `s3cr3t`]) {
      const { status, text } = await node.client.ask(`/${nouns}/create`, { method: 'POST', headers, body });
      expect(status).toBe(400);
      expect(text).toContain('invalid JSON: ');
      expect(text).not.toContain('s3cr3t');
    }
  });

  test('updates labels, rotates, lists versions and removes', async () => {
    const { answer } = await ask('GET', `/${nouns}/wsec`);
    const version = (answer as { Version: { Index: number } }).Version.Index;
    const update = await ask('POST', `/${nouns}/${id}/update?version=${version}`, { Name: 'wsec', Labels: {}, Data });
    expect(update).toEqual({ status: 200, answer: undefined });
    const next = Buffer.from('next').toString('base64');
    const rotated = await ask('POST', `/bale/${nouns}/wsec/rotate`, { Data: next });
    expect(rotated).toMatchObject({ status: 200, answer: { dataVersion: 2, services: [] } });
    const versions = await ask('GET', `/bale/${nouns}/wsec/versions`);
    // The older version may be forgotten already: nobody refers to it.
    expect((versions.answer as unknown[])[0]).toMatchObject({ dataVersion: 2, services: [] });
    expect(await ask('DELETE', `/${nouns}/wsec`)).toEqual({ status: 204, answer: undefined });
    expect(await ask('GET', `/${nouns}`)).toEqual({ status: 200, answer: [] });
  });
});
