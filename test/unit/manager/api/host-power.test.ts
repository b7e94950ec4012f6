import { describe, expect, it } from 'vitest';
import { caughtAsync } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';
import { openTestApi } from '../../../support/test-api.js';

const privileged = serviceBody({ Labels: { 'bale.privileged': 'true' } });
const plain = serviceBody({ Labels: {} });
const refusal = {
  kind: 'forbidden',
  code: 'BALE_HOST_POWER_REFUSED',
  message:
    'service web: label "bale.privileged" gives the container every device and every capability: such a container can take its node over. The manager does not allow it: start its daemon with --allow privileged',
};

describe('a service that gives its containers power over their nodes', () => {
  it('is refused unless the manager allows it, and nothing is written', async () => {
    const test = await openTestApi(new Set(['devices']));
    expect(await caughtAsync(test.api.createService(privileged))).toEqual(refusal);
    expect(test.api.services({}, false)).toEqual([]);
    const { ID: id } = await test.api.createService(plain);
    const before = test.api.service(id, false);
    const update = () => test.api.updateService(id, String(before.Version.Index), privileged, { rollback: undefined });
    expect(await caughtAsync(update())).toEqual(refusal);
    expect(test.api.service(id, false)).toEqual(before);
    await test.api.createService(serviceBody({ Name: 'fuse', Labels: { 'bale.devices': '/dev/fuse' } }));
  });

  it('is made where it is allowed', async () => {
    const test = await openTestApi(new Set(['privileged']));
    const { ID: id } = await test.api.createService(privileged);
    expect(test.api.service(id, false).Spec.Labels).toEqual({ 'bale.privileged': 'true' });
  });

  it('is not rolled back to when it is not allowed any more', async () => {
    const allowed = new Set(['privileged'] as const);
    const test = await openTestApi(allowed);
    const { ID: id } = await test.api.createService(privileged);
    const first = test.api.service(id, false).Version.Index;
    await test.api.updateService(id, String(first), plain, { rollback: undefined });
    allowed.clear();
    const version = String(test.api.service(id, false).Version.Index);
    const back = () => test.api.updateService(id, version, plain, { rollback: 'previous' });
    expect(await caughtAsync(back())).toEqual(refusal);
    expect(await caughtAsync(test.api.rollBackTo(id, String(first)))).toEqual(refusal);
    expect(test.api.service(id, false).Spec.Labels).toEqual({});
  });

  it('is not rolled by a new version of a secret when it is not allowed any more', async () => {
    const allowed = new Set(['privileged'] as const);
    const test = await openTestApi(allowed);
    const data = (text: string): string => Buffer.from(text).toString('base64');
    const { ID: SecretID } = await test.api.secrets.create({ Name: 's', Labels: {}, Data: data('1') });
    const File = { Name: 's', UID: '0', GID: '0', Mode: 0o444 };
    const Secrets = [{ SecretID, SecretName: 's', File }];
    const Labels = { 'bale.privileged': 'true' };
    await test.api.createService(serviceBody({ Labels, TaskTemplate: { ContainerSpec: { Secrets } } }));
    allowed.clear();
    expect(await caughtAsync(test.api.secrets.rotate('s', { Data: data('2') }))).toEqual(refusal);
    expect(test.api.secrets.inspect('s')).toMatchObject({ ID: SecretID, dataVersion: 1 });
  });
});
