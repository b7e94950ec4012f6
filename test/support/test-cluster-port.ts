import { enrol } from '../../agent/identity/enrolment.js';
import { systemClock } from '../../core/clock.js';
import { newId } from '../../core/id.js';
import { IdentitySource, type NodeIdentity } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import { CertificateAuthority } from '../../manager/ca/certificate-authority.js';
import type { ClusterObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';
import type { Draft, Store } from '../../manager/store/store-types.js';
import type { ClusterHandlers, ManagerSession, Peer } from '../../proto/cluster-peer.js';
import { startClusterServer } from '../../proto/cluster-server.js';
import type { StrangerLimits } from '../../proto/cluster-listener.js';
import { makeJoinToken, newJoinSecret } from '../../proto/join-token.js';
import { newJoinKey, TestCa } from './identities.js';
import { memoryJournal } from './memory-journal.js';

/** A manager's cluster port with a real store, authority and server; sessions come to the test. */
export interface TestClusterPort {
  readonly addr: string;
  readonly ca: TestCa;
  readonly store: Store;
  readonly identity: IdentitySource;
  readonly workerToken: () => string;
  readonly managerToken: () => string;
  /** Every request for a certificate that reached the authority. */
  readonly issueRequests: { readonly token: string }[];
  readonly leaves: Peer[];
  /** The next session that is opened. */
  nextSession(): Promise<{ readonly peer: Peer; readonly stream: ManagerSession }>;
  change(fields: Partial<Draft<ClusterObject>>): Promise<void>;
  close(): Promise<void>;
}

export async function startTestClusterPort(
  options: {
    readonly clusterId?: string;
    readonly limits?: StrangerLimits;
    readonly handlers?: Partial<ClusterHandlers>;
    /** Runs once a node was let in, before it is answered. */
    readonly beforeAnswer?: () => void;
  } = {},
): Promise<TestClusterPort> {
  const logger = createLogger('silent');
  const ca = await TestCa.create(options.clusterId ?? newId());
  const identity = new IdentitySource(ca.identity(newId(), 'manager'));
  const store = await openStore({ journal: memoryJournal(), clock: systemClock, logger });
  await store.update((tx) => {
    tx.put('cluster', {
      id: ca.clusterId,
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
      rootCertificate: ca.certificate,
      joinSecrets: { worker: newJoinSecret(), manager: newJoinSecret() },
      removedNodes: {},
    });
    tx.put('node', {
      id: identity.current.nodeId,
      spec: { Labels: {}, Role: 'manager', Availability: 'active' },
      status: { state: 'ready', message: '', addr: '127.0.0.1' },
      certificateExpiry: 0,
      portErrors: [],
    });
  });
  const authority = new CertificateAuthority({ store, rootKey: ca.privateKey, clock: systemClock, logger });
  const issueRequests: { token: string }[] = [];
  const leaves: Peer[] = [];
  const waiting: ((session: { peer: Peer; stream: ManagerSession }) => void)[] = [];
  const arrived: { peer: Peer; stream: ManagerSession }[] = [];

  const server = await startClusterServer({
    listenAddr: '127.0.0.1:0',
    identity,
    logger,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    handlers: {
      rootCertificate: () => authority.rootCertificate(),
      issueNodeCertificate: async (request) => {
        issueRequests.push({ token: request.token });
        const issued = await authority.issueNodeCertificate(request);
        options.beforeAnswer?.();
        return issued;
      },
      renewNodeCertificate: (peer, csr) => authority.renewNodeCertificate(peer, csr),
      authorize: (peer) => {
        authority.authorize(peer);
      },
      session: (peer, stream) => {
        const next = waiting.shift();
        if (next === undefined) arrived.push({ peer, stream });
        else next({ peer, stream });
      },
      leave: (peer) => {
        leaves.push(peer);
        return Promise.resolve();
      },
      stream: () => {
        throw new Error('this port takes no streams');
      },
      ...options.handlers,
    },
  });
  const cluster = (): ClusterObject => {
    const [found] = store.view.all('cluster');
    if (found === undefined) throw new Error('the test has no cluster');
    return found;
  };
  return {
    addr: server.boundAddr,
    ca,
    store,
    identity,
    workerToken: () => makeJoinToken(ca.certificate, cluster().joinSecrets.worker),
    managerToken: () => makeJoinToken(ca.certificate, cluster().joinSecrets.manager),
    issueRequests,
    leaves,
    nextSession: () =>
      new Promise((resolve) => {
        const session = arrived.shift();
        if (session === undefined) waiting.push(resolve);
        else resolve(session);
      }),
    change: (fields) =>
      store.update((tx) => {
        tx.put('cluster', { ...cluster(), ...fields });
      }),
    close: async () => {
      await server.close();
      await store.close();
    },
  };
}

/** A worker that joins with its token, and a key of its own. */
export const joinAsWorker = (port: TestClusterPort): Promise<NodeIdentity> =>
  enrol({
    managers: [port.addr],
    token: port.workerToken(),
    availability: '',
    privateKey: newJoinKey(),
    signal: AbortSignal.timeout(20_000),
  });
