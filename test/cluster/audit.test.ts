import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCsr, newPrivateKey } from '../../core/x509.js';
import type { AuditDocument } from '../../proto/engine/audit-document.js';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';

let house: DaemonApi;
beforeAll(async () => {
  house = await DaemonApi.start();
});
afterAll(() => house.end());

const audit = (query = ''): Promise<readonly AuditDocument[]> => house.get(`/bale/audit${query}`);
const newest = async (): Promise<AuditDocument | undefined> => (await audit('?limit=1'))[0];

describe('the audit', () => {
  test('begins with the init of the cluster', async () => {
    const begun = (await audit()).filter(({ request }) => request === 'POST /swarm/init');
    expect(begun.map(({ who, action, object }) => [who, action, object])).toEqual([
      ['unix socket', 'create', 'cluster'],
      ['unix socket', 'create', 'node'],
    ]);
  });

  test('tells who changed a service, by which request, from which version to which', async () => {
    const service = await house.create({ Name: 'web' });
    expect(await newest()).toEqual({
      time: service.CreatedAt,
      who: 'unix socket',
      request: 'POST /services/create',
      action: 'create',
      object: 'service',
      id: service.ID,
      name: 'web',
      newVersion: service.Version.Index,
      fields: [],
    });
    await house.update(service.ID, (spec) => ({
      ...spec,
      Mode: { Replicated: { Replicas: 3 } },
      TaskTemplate: {
        ...spec.TaskTemplate,
        ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Env: ['PASSWORD=hunter2'] },
      },
    }));
    const updated = await newest();
    expect(updated).toMatchObject({
      request: 'POST /services/:id/update',
      action: 'update',
      oldVersion: service.Version.Index,
      newVersion: (await house.service(service.ID)).Version.Index,
    });
    expect([...(updated?.fields ?? [])].sort()).toEqual(['Mode.Replicated.Replicas', 'TaskTemplate.ContainerSpec.Env']);
    await house.ask('DELETE', `/services/${service.ID}`);
    const removed = await newest();
    expect(removed).toMatchObject({ request: 'DELETE /services/:id', action: 'remove', name: 'web' });
    expect(removed?.newVersion).toBeUndefined();
    expect(JSON.stringify(await audit())).not.toContain('hunter2');
  });

  test('has no record of what was refused', async () => {
    const before = (await audit()).length;
    const service = await house.create({ Name: 'kept' });
    expect((await house.ask('POST', '/services/create', { body: { Name: 'kept' } })).status).not.toBe(201);
    expect(
      (await house.ask('POST', `/services/${service.ID}/update?version=1`, { body: { ...service.Spec } })).status,
    ).toBe(500);
    expect((await house.ask('DELETE', '/services/nosuch')).status).toBe(404);
    expect(await audit()).toHaveLength(before + 1);
  });

  test('tells of secrets without their data, and of what their rotation rolls', async () => {
    const Data = Buffer.from('top-secret-value').toString('base64');
    await house.ask('POST', '/secrets/create', { body: { Name: 'key', Data } });
    expect(await newest()).toMatchObject({ object: 'secret', action: 'create', name: 'key' });
    const [secret] = await house.get<readonly { readonly ID: string }[]>('/secrets');
    const File = { Name: 'key', UID: '0', GID: '0', Mode: 0o444 };
    const Secrets = [{ SecretID: secret?.ID, SecretName: 'key', File }];
    await house.create({ Name: 'user', TaskTemplate: { ContainerSpec: { Secrets } } });
    await house.ask('POST', '/bale/secrets/key/rotate', { body: { Data: 'AAAA' } });
    const rotation = (await audit()).filter(({ request }) => request === 'POST /bale/secrets/:id/rotate');
    expect(rotation.map(({ object, action, name }) => [object, action, name])).toEqual([
      ['secret', 'create', 'key'],
      ['service', 'update', 'user'],
    ]);
    expect(JSON.stringify(await audit())).not.toContain(Data);
  });

  test('tells of tokens that were rotated, not what they are', async () => {
    const { Version, Spec, JoinTokens } = await house.get<{
      readonly Version: { readonly Index: number };
      readonly Spec: Record<string, unknown>;
      readonly JoinTokens: { readonly Worker: string };
    }>('/swarm');
    const path = `/swarm/update?version=${Version.Index}&rotateWorkerToken=true`;
    expect((await house.ask('POST', path, { body: Spec })).status).toBe(200);
    expect(await newest()).toMatchObject({ object: 'cluster', name: 'default', fields: ['JoinTokens.Worker'] });
    expect(JSON.stringify(await audit())).not.toContain(JoinTokens.Worker.split('-').at(-1));
  });

  test('tells of nodes that join, are drained, leave and are removed', async () => {
    const node = await house.join('w1');
    expect(await newest()).toMatchObject({ who: 'join token (worker)', action: 'create', object: 'node', id: node.ID });
    await house.ask('POST', `/bale/nodes/${node.ID}/drain?deadline=10m`);
    const drained = await newest();
    expect(drained).toMatchObject({
      request: 'POST /bale/nodes/:id/drain',
      object: 'node',
      name: node.Description?.Hostname,
    });
    expect(drained?.fields).toContain('Availability');
    await house.ask('DELETE', `/nodes/${node.ID}?force=true`);
    expect(await newest()).toMatchObject({
      request: 'DELETE /nodes/:id',
      action: 'remove',
      object: 'node',
      id: node.ID,
    });
  });

  test('tells whose certificates were made and revoked', async () => {
    const body = { name: 'alice', role: 'viewer', csr: createCsr(newPrivateKey()) };
    expect((await house.ask('POST', '/bale/client-certificates/create', { body })).status).toBe(201);
    expect(await newest()).toMatchObject({
      request: 'POST /bale/client-certificates/create',
      object: 'cluster',
      fields: ['clientCertificates.alice'],
    });
    expect((await house.ask('DELETE', '/bale/client-certificates/alice')).status).toBe(200);
    expect(await newest()).toMatchObject({
      request: 'DELETE /bale/client-certificates/:id',
      fields: ['clientCertificates.alice'],
    });
  });

  test('is asked by object, by who and by time', async () => {
    const [record] = await audit('?object=web&limit=1');
    expect(record).toMatchObject({ name: 'web', action: 'remove' });
    expect((await audit('?object=secret')).every(({ object }) => object === 'secret')).toBe(true);
    expect((await audit(`?object=${record?.id ?? ''}`)).length).toBe(3);
    expect((await audit('?who=join')).map(({ object }) => object)).toEqual(['node']);
    expect(await audit(`?until=${Date.now() / 1000 - 3600}`)).toEqual([]);
    expect(await audit(`?since=${(Date.now() / 1000 + 3600).toFixed(3)}`)).toEqual([]);
  });

  test.each(['?since=soon', '?until=-1', '?limit=0', '?limit=x', '?since=2&until=1'])('refuses %s', async (query) => {
    expect(refusalOf(await house.ask('GET', `/bale/audit${query}`)).status).toBe(400);
  });

  test.each(['POST', 'DELETE', 'PUT', 'PATCH'])('cannot be changed by %s', async (method) => {
    const before = await audit();
    expect((await house.ask(method, '/bale/audit')).status).toBe(404);
    expect(await audit()).toEqual(before);
  });

  test('is there after a restart', async () => {
    const before = await audit();
    await house.manager.stop();
    await house.manager.start();
    expect(await audit()).toEqual(before);
  });
});
