import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startRenewal } from '../../agent/identity/renewal.js';
import { loadIdentity, saveIdentity } from '../../core/identity-file.js';
import { IdentitySource, type NodeIdentity } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import { validity } from '../../core/x509.js';
import { openSession } from '../../proto/cluster-client.js';
import { FakeClock } from '../support/fake-clock.js';
import { joinAsWorker, startTestClusterPort } from '../support/test-cluster-port.js';

const DAY = 24 * 60 * 60 * 1000;
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function setUp() {
  const port = await startTestClusterPort();
  cleanUps.push(() => port.close());
  const directory = await mkdtemp(joinPath(tmpdir(), 'bale-renewal-'));
  cleanUps.push(() => rm(directory, { recursive: true }));
  const joined = await joinAsWorker(port);
  const identityFile = joinPath(directory, 'identity.pem');
  await saveIdentity(identityFile, joined);
  const identity = new IdentitySource(joined);
  const clock = new FakeClock(Date.now());
  const renewed = (): Promise<NodeIdentity> =>
    new Promise((resolve) => {
      identity.subscribe(resolve);
    });
  const begin = (managers: () => readonly string[]): void => {
    const logger = createLogger('silent');
    const renewal = startRenewal({ identity, identityFile, managers, clock, logger, random: () => 0.5 });
    cleanUps.push(() => renewal.close());
  };
  return { port, joined, identity, identityFile, clock, renewed, begin };
}

describe('renewal', () => {
  it('replaces key and certificate between 50 % and 80 % of the life while the session stays up', async () => {
    const { port, joined, identity, identityFile, clock, renewed, begin } = await setUp();
    const session = openSession(port.addr, identity);
    const { stream } = await port.nextSession();
    const next = renewed();
    begin(() => [port.addr]);
    await clock.advance(58 * DAY);
    expect(identity.current).toBe(joined);
    await clock.advance(DAY);
    const fresh = await next;
    expect(fresh).toMatchObject({ nodeId: joined.nodeId, clusterId: joined.clusterId, role: 'worker' });
    expect(fresh.privateKey).not.toBe(joined.privateKey);
    expect(fresh.certificate).not.toBe(joined.certificate);
    expect(await loadIdentity(identityFile)).toEqual(fresh);
    expect((await stat(identityFile)).mode & 0o777).toBe(0o600);

    const arrived = new Promise((resolve) => {
      stream.onMessage(resolve);
    });
    session.send({ kind: 'heartbeat' });
    expect(await arrived).toEqual({ kind: 'heartbeat' });
    session.end();
    const second = openSession(port.addr, identity);
    expect((await port.nextSession()).peer.nodeId).toBe(joined.nodeId);
    second.end();
  });

  it('takes up the validity that the cluster asks for meanwhile', async () => {
    const { port, joined, clock, renewed, begin } = await setUp();
    const life = ({ certificate }: NodeIdentity): number => {
      const { notBefore, notAfter } = validity(certificate);
      return notAfter - notBefore;
    };
    const [cluster] = port.store.view.all('cluster');
    if (cluster === undefined) throw new Error('no cluster');
    await port.change({ spec: { ...cluster.spec, CAConfig: { NodeCertExpiry: 10 * DAY * 1e6 } } });
    const next = renewed();
    begin(() => [port.addr]);
    await clock.advance(59 * DAY);
    expect(life(joined) - life(await next)).toBe(80 * DAY);
  });

  it('goes on trying while no manager can be reached', async () => {
    const { port, identity, clock, renewed, begin } = await setUp();
    const next = renewed();
    const asked: string[] = [];
    let attempts = 0;
    const firstAttempt = new Promise<void>((resolve) => {
      begin(() => {
        attempts += 1;
        asked.push(attempts === 1 ? 'none' : 'one');
        resolve();
        return attempts === 1 ? [] : [port.addr];
      });
    });
    await clock.advance(59 * DAY);
    await firstAttempt;
    await clock.advance(60_000);
    await next;
    expect(identity.current).toBe(await next);
    expect(asked).toEqual(['none', 'one']);
  });
});
