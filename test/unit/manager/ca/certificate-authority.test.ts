import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { createCsr, isSignedFor, newPrivateKey, readSubject } from '../../../../core/x509.js';
import { CertificateAuthority } from '../../../../manager/ca/certificate-authority.js';
import { createRootCa } from '../../../../manager/ca/root-ca.js';
import { openStore } from '../../../../manager/store/store.js';
import type { NodeObject } from '../../../../manager/store/objects.js';
import type { Store } from '../../../../manager/store/store-types.js';
import { makeJoinToken, newJoinSecret } from '../../../../proto/join-token.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal } from '../../../support/memory-journal.js';
import { draftNode } from '../../../support/stored-objects.js';
import { machine } from '../../../support/test-api.js';

const DAY = 24 * 60 * 60 * 1000;
const clock = new FakeClock();
const logger = createLogger('silent');
let store: Store;
let authority: CertificateAuthority;
let root: { certificate: string; privateKey: string };
const joinSecrets = { worker: newJoinSecret(), manager: newJoinSecret() };

beforeEach(async () => {
  root = await createRootCa(clock.now());
  store = await openStore({ journal: memoryJournal(), clock, logger });
  await store.update((tx) => {
    tx.put('cluster', {
      id: 'c1',
      spec: {
        Name: 'default',
        Labels: {},
        Orchestration: {},
        Raft: {},
        Dispatcher: {},
        CAConfig: {},
        TaskDefaults: {},
        EncryptionConfig: { AutoLockManagers: false },
      },
      rootCertificate: root.certificate,
      joinSecrets,
      removedNodes: { gone: clock.now() + DAY },
    });
    tx.put('node', draftNode('n1'));
    tx.put('node', draftNode('gone'));
  });
  authority = new CertificateAuthority({ store, rootKey: root.privateKey, clock, logger });
});
afterEach(() => store.close());

const request = (token: string): { csr: string; token: string; availability: string } => ({
  csr: createCsr(newPrivateKey()),
  token,
  availability: '',
});

describe('the certificate authority', () => {
  it('takes a joiner that asks again with its key for the same node, until that has had a session', async () => {
    const token = makeJoinToken(root.certificate, joinSecrets.worker);
    const asked = request(token);
    const [first, again] = await Promise.all([
      authority.issueNodeCertificate(asked),
      authority.issueNodeCertificate({ ...asked }),
    ]);
    expect(again.nodeId).toBe(first.nodeId);
    expect(store.view.count('audit')).toBe(1);
    const row = (): NodeObject | undefined => store.view.get('node', first.nodeId);

    const paused = await authority.issueNodeCertificate({ ...asked, availability: 'pause' });
    expect(paused.nodeId).toBe(first.nodeId);
    expect(row()).toMatchObject({ spec: { Availability: 'pause' }, status: { state: 'unknown' } });
    expect(store.view.all('audit').map(({ spec }) => [spec.action, spec.fields])).toEqual([
      ['create', []],
      ['update', ['Availability']],
    ]);

    await store.update((tx) => {
      const known = tx.get('node', first.nodeId);
      if (known !== undefined) tx.put('node', { ...known, description: machine('h1') });
    });
    const other = await authority.issueNodeCertificate({ ...asked });
    expect(other.nodeId).not.toBe(first.nodeId);
    await store.update((tx) => {
      tx.delete('node', other.nodeId);
    });
    expect([first.nodeId, other.nodeId]).not.toContain((await authority.issueNodeCertificate({ ...asked })).nodeId);
  });

  it('lets nobody in by the key alone', async () => {
    const asked = request(makeJoinToken(root.certificate, joinSecrets.worker));
    await authority.issueNodeCertificate(asked);
    const wrong = { ...asked, token: makeJoinToken(root.certificate, newJoinSecret()) };
    await expect(authority.issueNodeCertificate(wrong)).rejects.toMatchObject({ code: 'BALE_JOIN_TOKEN_REFUSED' });
  });

  it('lets each joiner in as a node of its own', async () => {
    const token = makeJoinToken(root.certificate, joinSecrets.worker);
    const joined = await Promise.all(Array.from({ length: 5 }, () => authority.issueNodeCertificate(request(token))));
    expect(new Set(joined.map(({ nodeId }) => nodeId)).size).toBe(5);
    for (const { nodeId, certificate } of joined) {
      expect(readSubject(certificate)).toEqual({ nodeId, clusterId: 'c1', role: 'worker' });
      expect(store.view.get('node', nodeId)?.certificateExpiry).toBe(clock.now() + 90 * DAY);
    }
  });

  it('takes nothing from a request but its key: the request of a renewal says what it likes', async () => {
    const key = newPrivateKey();
    const { certificate } = await authority.renewNodeCertificate({ nodeId: 'n1' }, createCsr(key));
    expect(readSubject(certificate)).toEqual({ nodeId: 'n1', clusterId: 'c1', role: 'worker' });
    expect(isSignedFor(certificate, root.certificate, key)).toBe(true);
    expect(store.view.get('node', 'n1')?.certificateExpiry).toBe(clock.now() + 90 * DAY);
  });

  it.each([
    ['of another cluster', (secret: string) => makeJoinToken('another root', secret), 'BALE_JOIN_TOKEN_REFUSED'],
    ['without its shape', (secret: string) => secret, 'BALE_JOIN_TOKEN_INVALID'],
  ])('refuses a token %s and writes nothing', async (_what, token, code) => {
    const before = store.view.index;
    const attempt = authority.issueNodeCertificate(request(token(joinSecrets.worker)));
    await expect(attempt).rejects.toMatchObject({ code });
    expect(store.view.index).toBe(before);
  });

  it('refuses removed and unknown nodes', async () => {
    expect(() => {
      authority.authorize({ nodeId: 'n1' });
    }).not.toThrow();
    for (const [nodeId, code] of [
      ['gone', 'BALE_NODE_REMOVED'],
      ['never', 'BALE_NODE_UNKNOWN'],
      ['constructor', 'BALE_NODE_UNKNOWN'],
    ] as const) {
      expect(() => {
        authority.authorize({ nodeId });
      }).toThrow(expect.objectContaining({ code }) as Error);
      const csr = createCsr(newPrivateKey());
      await expect(authority.renewNodeCertificate({ nodeId }, csr)).rejects.toMatchObject({ code });
    }
  });

  it('signs for the first manager, who has no row yet', () => {
    const csr = createCsr(newPrivateKey());
    const { certificate } = authority.signNode({ csr, nodeId: 'm1', role: 'manager', clusterId: 'c1' });
    expect(readSubject(certificate).role).toBe('manager');
  });
});
