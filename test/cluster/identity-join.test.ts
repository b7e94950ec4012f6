import type { ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { enrol } from '../../agent/identity/enrolment.js';
import { IdentitySource } from '../../core/identity.js';
import { createCsr, newPrivateKey, validity } from '../../core/x509.js';
import { channelOptions, joinerCredentials } from '../../proto/cluster-channel.js';
import { openSession, requestNodeCertificate } from '../../proto/cluster-client.js';
import { clusterServices } from '../../proto/grpc-services.js';
import { makeJoinToken, newJoinSecret } from '../../proto/join-token.js';
import { Relay } from '../support/cluster-relay.js';
import { newJoinKey, TestCa } from '../support/identities.js';
import { startManagerOfVersion } from '../support/stranger.js';
import { startTestClusterPort, type TestClusterPort } from '../support/test-cluster-port.js';

const DAY = 24 * 60 * 60 * 1000;
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const port of opened.splice(0)) await port.close();
});

async function start(...options: Parameters<typeof startTestClusterPort>): Promise<TestClusterPort> {
  const port = await startTestClusterPort(...options);
  opened.push(port);
  return port;
}

const join = (port: Pick<TestClusterPort, 'addr'>, token: string, availability = ''): ReturnType<typeof enrol> =>
  enrol({ managers: [port.addr], token, availability, privateKey: newJoinKey(), signal: AbortSignal.timeout(20_000) });

describe('joining', () => {
  it('gives a node with the worker token an identity, a row and 90 days', async () => {
    const port = await start();
    const identity = await join(port, port.workerToken(), 'drain');
    expect(identity).toMatchObject({ clusterId: port.ca.clusterId, role: 'worker', trustRoot: port.ca.certificate });
    const row = port.store.view.get('node', identity.nodeId);
    expect(row?.spec).toEqual({ Labels: {}, Role: 'worker', Availability: 'drain' });
    expect(row?.certificateExpiry).toBeGreaterThan(Date.now() + 89 * DAY);
    expect(Math.abs((row?.certificateExpiry ?? 0) - validity(identity.certificate).notAfter)).toBeLessThan(1000);

    const session = openSession(port.addr, new IdentitySource(identity));
    session.send({ kind: 'heartbeat' });
    const { peer, stream } = await port.nextSession();
    expect(peer).toEqual({
      nodeId: identity.nodeId,
      clusterId: port.ca.clusterId,
      role: 'worker',
      address: '127.0.0.1',
    });
    stream.end();
  });

  it('obeys the cluster’s certificate expiry', async () => {
    const port = await start();
    const [cluster] = port.store.view.all('cluster');
    if (cluster === undefined) throw new Error('no cluster');
    await port.change({ spec: { ...cluster.spec, CAConfig: { NodeCertExpiry: 3600 * 1e9 } } });
    const identity = await join(port, port.workerToken());
    const { notBefore, notAfter } = validity(identity.certificate);
    expect(notAfter - notBefore).toBe(2 * 3600 * 1000);
  });

  it('refuses a wrong secret, and nothing is changed', async () => {
    const port = await start();
    const rows = port.store.view.count('node');
    await expect(join(port, makeJoinToken(port.ca.certificate, newJoinSecret()))).rejects.toMatchObject({
      code: 'BALE_JOIN_TOKEN_REFUSED',
      kind: 'invalid',
      message: expect.stringContaining('A valid join token is necessary to join this cluster') as string,
    });
    expect(port.store.view.count('node')).toBe(rows);
  });

  it('refuses a rotated token at once and takes the new one', async () => {
    const port = await start();
    const old = port.workerToken();
    const [cluster] = port.store.view.all('cluster');
    if (cluster === undefined) throw new Error('no cluster');
    await port.change({ joinSecrets: { ...cluster.joinSecrets, worker: newJoinSecret() } });
    await expect(join(port, old)).rejects.toMatchObject({ code: 'BALE_JOIN_TOKEN_REFUSED' });
    await expect(join(port, port.workerToken())).resolves.toMatchObject({ role: 'worker' });
  });

  it('refuses the manager token with the reason', async () => {
    const port = await start();
    await expect(join(port, port.managerToken())).rejects.toMatchObject({
      kind: 'unimplemented',
      message: 'joining as a manager is not available yet: this version runs one manager; join with the worker token',
    });
  });

  it('refuses an unknown availability by name', async () => {
    const port = await start();
    await expect(join(port, port.workerToken(), 'lazy')).rejects.toMatchObject({
      code: 'BALE_AVAILABILITY_INVALID',
      message: 'availability: "lazy" is none of active, pause, drain',
    });
  });

  it('does not send the secret to a manager whose root is not that of the token', async () => {
    const port = await start();
    const other = await start();
    await expect(join(port, other.workerToken())).rejects.toMatchObject({
      code: 'BALE_CA_MISMATCH',
      message: expect.stringContaining(
        `the manager at ${port.addr} shows a root certificate that does not match`,
      ) as string,
    });
    expect(port.issueRequests).toEqual([]);
  });

  it('does not send the secret to one that shows the right root without holding a certificate of it', async () => {
    const real = await start();
    const thief = await start({ handlers: { rootCertificate: () => real.ca.certificate } });
    await expect(join(thief, real.workerToken())).rejects.toMatchObject({ code: 'BALE_CA_MISMATCH' });
    expect(thief.issueRequests).toEqual([]);
  });

  it('refuses a joiner of another protocol version, naming both', async () => {
    const port = await start();
    const { CertificateAuthority } = clusterServices();
    const client = new CertificateAuthority(
      port.addr,
      joinerCredentials(port.ca.certificate),
      channelOptions({ receive: 1e6 }, 'swarm-ca'),
    );
    const request = { protocolVersion: 7, csr: createCsr(newPrivateKey()), token: port.workerToken() };
    const failure = await new Promise<ServiceError | null>((resolve) => {
      client.issueNodeCertificate(request, resolve);
    });
    client.close();
    expect(failure?.details).toBe(
      'the node that wants to join speaks protocol version 7, this side speaks 1: run the same version of bale on both',
    );
    expect(port.issueRequests).toEqual([]);
  });

  it('refuses a manager of another protocol version before the secret is sent', async () => {
    const ca = await TestCa.create();
    const manager = await startManagerOfVersion(9, ca);
    const secret = newJoinSecret();
    await expect(join(manager, makeJoinToken(ca.certificate, secret))).rejects.toMatchObject({
      code: 'BALE_PROTOCOL_VERSION',
      message: expect.stringContaining(
        `the manager at ${manager.addr} speaks protocol version 9, this side speaks 1`,
      ) as string,
    });
    manager.close();
    expect(manager.tokens).toEqual([]);
  });

  it('tries the next manager when one cannot be reached, and names all when none can', async () => {
    const port = await start();
    const gone = await start();
    await gone.close();
    opened.pop();
    const signal = AbortSignal.timeout(20_000);
    const token = port.workerToken();
    await expect(
      enrol({ managers: [gone.addr, port.addr], token, availability: '', privateKey: newJoinKey(), signal }),
    ).resolves.toMatchObject({
      role: 'worker',
    });
    await expect(
      enrol({ managers: [gone.addr], token, availability: '', privateKey: newJoinKey(), signal }),
    ).rejects.toMatchObject({
      code: 'BALE_MANAGER_UNREACHABLE',
      message: expect.stringMatching(
        new RegExp(`^cannot reach the manager at ${gone.addr}: connection refused`),
      ) as string,
    });
  });

  it('is once, however often its answer is lost, for one key', async () => {
    const relays: Relay[] = [];
    let lost = 0;
    const port = await start({
      beforeAnswer: () => {
        lost += 1;
        if (lost <= 2) for (const each of relays) each.tear();
      },
    });
    const relay = await Relay.start(port.addr);
    relays.push(relay);
    opened.push(relay);
    const [token, privateKey] = [port.workerToken(), newJoinKey()];
    const ask = (managers: readonly string[]) =>
      enrol({ managers, token, availability: '', privateKey, signal: AbortSignal.timeout(20_000) });
    await expect(ask([relay.addr])).rejects.toMatchObject({ code: 'BALE_MANAGER_UNREACHABLE' });
    const [made] = port.store.view.all('node').filter(({ id }) => id !== port.identity.current.nodeId);
    // The second answer is lost too, and the next address of the same manager is asked at once.
    const identity = await ask([relay.addr, port.addr]);
    expect(identity.nodeId).toBe(made?.id);
    expect(port.issueRequests).toHaveLength(3);
    expect(port.store.view.count('node')).toBe(2);
    expect(port.store.view.count('audit')).toBe(1);
    const session = openSession(port.addr, new IdentitySource(identity));
    session.send({ kind: 'heartbeat' });
    const { peer, stream } = await port.nextSession();
    expect(peer.nodeId).toBe(made?.id);
    stream.end();
  });

  it('refuses a request whose key is not proven', async () => {
    const port = await start();
    const csr = createCsr(newPrivateKey());
    const body = Buffer.from(csr.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${body.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const request = { csr: forged, token: port.workerToken(), availability: '' };
    await expect(
      requestNodeCertificate(port.addr, port.ca.certificate, request, AbortSignal.timeout(20_000)),
    ).rejects.toMatchObject({ code: 'BALE_CSR_INVALID' });
  });
});
