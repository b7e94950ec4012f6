import { X509Certificate } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { createCsr, newPrivateKey } from '../../../../core/x509.js';
import { certificateId, ClientAuthority } from '../../../../manager/ca/client-authority.js';
import { newDataKey, Vault } from '../../../../manager/secrets/vault.js';
import { openTestApi, type TestApi } from '../../../support/test-api.js';

const DAY = 24 * 60 * 60 * 1000;

let house: TestApi;
let vault: Vault;
let clients: ClientAuthority;
beforeEach(async () => {
  house = await openTestApi();
  vault = new Vault(newDataKey());
  clients = new ClientAuthority({ store: house.store, vault, clock: house.clock, logger: createLogger('silent') });
});

const request = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'alice',
  role: 'operator',
  csr: createCsr(newPrivateKey()),
  ...over,
});
const make = async (over: Record<string, unknown> = {}) => {
  const { certificate, ca } = await clients.create(request(over));
  return { certificate: new X509Certificate(certificate), ca: new X509Certificate(ca) };
};

describe('a client certificate', () => {
  test('is signed by the client CA, for clients alone, and is let in', async () => {
    const { certificate, ca } = await make();
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.subject.split('\n')).toEqual(['O=cluster', 'OU=bale-operator', 'CN=alice']);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.ca).toBe(false);
    expect(clients.judge(certificateId(certificate))).toMatchObject({
      kind: 'client',
      name: 'alice',
      role: 'operator',
    });
  });

  test('is not of the CA of the nodes', async () => {
    const { certificate, ca } = await make();
    const nodes = new X509Certificate(house.rootCertificate);
    expect(certificate.verify(nodes.publicKey)).toBe(false);
    expect(ca.fingerprint256).not.toBe(nodes.fingerprint256);
  });

  test('of one CA comes with another, also from a manager that starts again', async () => {
    const first = await make();
    clients = new ClientAuthority({ store: house.store, vault, clock: house.clock, logger: createLogger('silent') });
    const second = await make({ name: 'bob@example.com' });
    expect(second.ca.fingerprint256).toBe(first.ca.fingerprint256);
    expect(second.certificate.subject).toContain('CN=bob@example.com');
  });

  test('ends at its time', async () => {
    const { certificate } = await make({ expiry: DAY * 1e6 });
    await house.clock.advance(DAY + 1000);
    expect(clients.judge(certificateId(certificate))).toMatchObject({
      kind: 'refused',
      error: { kind: 'unauthenticated', code: 'BALE_CLIENT_CERTIFICATE_EXPIRED' },
    });
    expect(clients.list()).toMatchObject([{ name: 'alice', state: 'expired' }]);
  });

  test('that is revoked is let in no more, and its name is free again', async () => {
    const { certificate } = await make();
    let changes = 0;
    clients.onChange(() => (changes += 1));
    await clients.revoke('alice');
    expect(changes).toBe(1);
    expect(clients.judge(certificateId(certificate))).toMatchObject({
      kind: 'refused',
      error: { code: 'BALE_CLIENT_CERTIFICATE_REVOKED' },
    });
    const again = await make({ role: 'viewer' });
    expect(clients.judge(certificateId(again.certificate))).toMatchObject({ kind: 'client', role: 'viewer' });
    expect(clients.judge(certificateId(certificate))).toMatchObject({ kind: 'refused' });
    expect(clients.list().map(({ role, state }) => [role, state])).toEqual([
      ['viewer', 'valid'],
      ['operator', 'revoked'],
    ]);
  });

  test('that the list does not know is not let in', () => {
    expect(clients.judge('00')).toMatchObject({ error: { code: 'BALE_CLIENT_CERTIFICATE_UNKNOWN' } });
  });

  test('of a name that has one is refused; what is long over is forgotten', async () => {
    await make({ expiry: 60e9 });
    await expect(make()).rejects.toMatchObject({ code: 'BALE_NAME_CONFLICT' });
    await house.clock.advance(31 * DAY);
    await make({ name: 'bob' });
    expect(clients.list().map(({ name }) => name)).toEqual(['bob']);
  });

  test('that is not there cannot be revoked', async () => {
    await expect(clients.revoke('nobody')).rejects.toMatchObject({ code: 'BALE_NOT_FOUND' });
  });

  test.each<[string, unknown]>([
    ['name', request({ name: 'a b' })],
    ['name', request({ name: '' })],
    ['name', request({ name: 'x'.repeat(65) })],
    ['name', request({ name: 'a\nOU=bale-admin' })],
    ['role', request({ role: 'root' })],
    ['role', request({ role: undefined })],
    ['csr', request({ csr: 7 })],
    ['expiry', request({ expiry: 0 })],
    ['expiry', request({ expiry: 1e30 })],
    ['expiry', request({ expiry: 'long' })],
    ['body', []],
    ['body', null],
  ])('is refused for a wrong %s', async (field, body) => {
    await expect(clients.create(body)).rejects.toMatchObject({
      code: 'BALE_REQUEST_INVALID',
      message: expect.stringContaining(field) as string,
    });
    expect(clients.list()).toEqual([]);
  });

  test('is refused for what is no request', async () => {
    await expect(make({ csr: 'nothing' })).rejects.toMatchObject({ code: 'BALE_CSR_INVALID' });
  });
});

test("the CA's key is in no row in clear", async () => {
  await make();
  const rows = JSON.stringify(house.store.view.all('cluster'));
  expect(rows).toContain('sealedKey');
  expect(rows).not.toContain('PRIVATE KEY');
});

test('a server certificate names its hosts, serves servers alone, and is no client', async () => {
  const made = await clients.serverIdentity(['localhost', 'm.example'], ['127.0.0.1', 'fd00::1:2', '::ffff:10.0.0.1']);
  const certificate = new X509Certificate(made.certificate);
  expect(certificate.checkHost('m.example')).toBe('m.example');
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(certificate.checkIP('fd00::1:2')).toBe('fd00::1:2');
  expect(certificate.checkHost('other.example')).toBeUndefined();
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(clients.judge(certificateId(certificate))).toMatchObject({ kind: 'refused' });
  expect(made.renewAt).toBeGreaterThan(house.clock.now());
});
