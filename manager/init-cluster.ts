import type { Clock } from '../core/clock.js';
import { newId } from '../core/id.js';
import type { NodeIdentity } from '../core/identity.js';
import { createLogger } from '../core/logger.js';
import { createCsr, newPrivateKey } from '../core/x509.js';
import type { NodeAvailability } from '../proto/engine/node-document.js';
import type { SwarmSpec } from '../proto/engine/swarm-document.js';
import { newJoinSecret } from '../proto/join-token.js';
import type { ChangeRequest } from './audit/audit-record.js';
import { auditedStore } from './audit/audited-store.js';
import { DEFAULT_LIFETIME, signNodeCertificate } from './ca/node-certificate.js';
import { createRootCa } from './ca/root-ca.js';
import { clearStateDirectory, stateDirectory, writeRootKey } from './state-directory.js';
import { openLevelJournal } from './store/level-journal.js';
import { openStore } from './store/store.js';

export interface InitClusterOptions {
  /** Where the manager will keep its state. Whatever it holds is taken for the rest of an init that failed. */
  readonly stateDir: string;
  /** With every field. */
  readonly spec: SwarmSpec;
  readonly availability: NodeAvailability;
  /** host:port of the cluster port, as the other nodes are told. */
  readonly advertiseAddr: string;
  /** Who asked for it, for the record; absent: nobody is named, and nothing recorded. */
  readonly change?: ChangeRequest;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Makes a new cluster with this node as its manager: root CA, cluster, first node. The identity is
 * the caller's to keep: until it is kept and the membership recorded there is no cluster, and the
 * next init begins anew.
 *
 * Throws BALE_STATE_UNWRITABLE or what the journal throws.
 */
export async function initCluster(options: InitClusterOptions): Promise<NodeIdentity> {
  const { clock, signal, spec } = options;
  const directory = stateDirectory(options.stateDir);
  signal.throwIfAborted();
  await clearStateDirectory(directory);
  const now = clock.now();
  const root = await createRootCa(now);
  await writeRootKey(directory, root.privateKey);

  const clusterId = newId();
  const nodeId = newId();
  const privateKey = newPrivateKey();
  const expiryNs = spec.CAConfig.NodeCertExpiry ?? 0;
  const signed = signNodeCertificate({
    csr: createCsr(privateKey),
    nodeId,
    clusterId,
    role: 'manager',
    root,
    now,
    lifetime: expiryNs > 0 ? expiryNs / 1e6 : DEFAULT_LIFETIME,
  });
  const journal = await openLevelJournal(directory.journal);
  const store = await openStore({ journal, clock, logger: createLogger('error'), signal });
  try {
    const { change } = options;
    const writable = change === undefined ? store : auditedStore(store, change);
    await writable.update((tx) => {
      tx.put('cluster', {
        id: clusterId,
        spec,
        rootCertificate: root.certificate,
        joinSecrets: { worker: newJoinSecret(), manager: newJoinSecret() },
        removedNodes: {},
      });
      tx.put('node', {
        id: nodeId,
        spec: { Labels: {}, Role: 'manager', Availability: options.availability },
        status: { state: 'unknown', message: 'made the cluster; its first session is awaited', addr: '' },
        managerAddr: options.advertiseAddr,
        certificateExpiry: signed.expiry,
        portErrors: [],
      });
    });
  } finally {
    await store.close();
  }
  signal.throwIfAborted();
  return {
    nodeId,
    clusterId,
    role: 'manager',
    certificate: signed.certificate,
    privateKey,
    trustRoot: root.certificate,
  };
}
