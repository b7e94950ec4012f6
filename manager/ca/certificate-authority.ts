import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import { BaleError } from '../../core/errors.js';
import { newId } from '../../core/id.js';
import type { Logger } from '../../core/logger.js';
import { readCsr } from '../../core/x509.js';
import type { Peer } from '../../proto/cluster-peer.js';
import { isSameSecret, parseJoinToken, rootDigest } from '../../proto/join-token.js';
import type { AuditRecord } from '../audit/audit-record.js';
import { writeRecords } from '../audit/audited-store.js';
import type { ClusterObject, NodeObject } from '../store/objects.js';
import type { Store, Transaction, View } from '../store/store-types.js';
import { type Admission, decideJoin, nodeOfKey } from './join-decision.js';
import { requireMember } from './membership.js';
import { DEFAULT_LIFETIME, signNodeCertificate } from './node-certificate.js';

export interface CertificateAuthorityOptions {
  readonly store: Store;
  /** PEM: the private key of the cluster's root. */
  readonly rootKey: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface IssuedCertificate {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: 'worker' | 'manager';
  /** PEM. */
  readonly certificate: string;
}

export interface SignRequest {
  /** PEM. Only its public key is taken. */
  readonly csr: string;
  readonly nodeId: string;
  readonly role: 'worker' | 'manager';
  readonly clusterId: string;
}

/**
 * The cluster's certificate authority. What a certificate says comes from the store alone; from a
 * request only the public key is taken.
 */
export class CertificateAuthority {
  readonly #options: CertificateAuthorityOptions;

  constructor(options: CertificateAuthorityOptions) {
    this.#options = options;
  }

  /** PEM. */
  rootCertificate(): string {
    return clusterOf(this.#options.store.view).rootCertificate;
  }

  /**
   * Lets a node in by its join token: its row and its certificate come to be in one transaction, so
   * that a token rotated before it is refused and none is half in. Whoever asks again with the same key, because
   * the answer was lost, is the same node.
   */
  async issueNodeCertificate(request: {
    readonly csr: string;
    readonly token: string;
    readonly availability: string;
  }): Promise<IssuedCertificate> {
    const issued = await this.#options.store.update((tx): IssuedCertificate => {
      const cluster = clusterOf(tx);
      const decision = decideJoin({ token: tokenRole(request.token, cluster), availability: request.availability });
      switch (decision.kind) {
        case 'refuse':
          throw decision.error;
        case 'admit':
          return this.#admit(tx, cluster, decision, request.csr);
      }
    });
    this.#options.logger.info({ nodeId: issued.nodeId, role: issued.role }, 'a node joined');
    return issued;
  }

  #admit(tx: Transaction, cluster: ClusterObject, { role, availability }: Admission, csr: string): IssuedCertificate {
    const joinKey = keyDigest(csr);
    const known = nodeOfKey(tx.all('node'), joinKey);
    const nodeId = known?.id ?? newId();
    const signed = this.#sign({ csr, nodeId, role, clusterId: cluster.id }, cluster, tx.now);
    const status = { state: 'unknown', message: 'joined; its first session is awaited', addr: '' } as const;
    if (known?.spec.Role === role && known.spec.Availability === availability) {
      tx.put('node', { ...known, status, certificateExpiry: signed.expiry });
    } else {
      tx.put('node', {
        id: nodeId,
        spec: { Labels: {}, ...known?.spec, Role: role, Availability: availability },
        status,
        joinKey,
        certificateExpiry: signed.expiry,
        portErrors: [],
      });
      writeRecords(tx, [joinRecord(nodeId, role, known, tx.index)]);
    }
    return { nodeId, clusterId: cluster.id, role, certificate: signed.certificate };
  }

  /** A new certificate for a member, in the role that the store gives it now. */
  async renewNodeCertificate(peer: Pick<Peer, 'nodeId'>, csr: string): Promise<{ readonly certificate: string }> {
    const certificate = await this.#options.store.update((tx) => {
      const cluster = clusterOf(tx);
      const node = requireMember(peer.nodeId, cluster, tx.get('node', peer.nodeId));
      const subject = { nodeId: node.id, role: node.spec.Role, clusterId: cluster.id };
      const signed = this.#sign({ csr, ...subject }, cluster, tx.now);
      tx.put('node', { ...node, certificateExpiry: signed.expiry });
      return signed.certificate;
    });
    this.#options.logger.info({ nodeId: peer.nodeId }, 'a certificate was renewed');
    return { certificate };
  }

  /** Signs without any check of membership: for the first manager of a new cluster. */
  signNode(request: SignRequest): { readonly certificate: string; readonly expiry: number } {
    return this.#sign(request, clusterOf(this.#options.store.view), this.#options.clock.now());
  }

  /** Throws when the node of a good certificate is no longer, or not, a member. */
  authorize(peer: Pick<Peer, 'nodeId'>): void {
    const { view } = this.#options.store;
    requireMember(peer.nodeId, clusterOf(view), view.get('node', peer.nodeId));
  }

  #sign(request: SignRequest, cluster: ClusterObject, now: number): { certificate: string; expiry: number } {
    const ns = cluster.spec.CAConfig.NodeCertExpiry ?? 0;
    return signNodeCertificate({
      ...request,
      root: { certificate: cluster.rootCertificate, privateKey: this.#options.rootKey },
      now,
      lifetime: ns > 0 ? ns / 1e6 : DEFAULT_LIFETIME,
    });
  }
}

/** What the audit says of a join. One that asks again for a node that it has already made is recorded if it changes it. */
function joinRecord(
  objectId: string,
  role: 'worker' | 'manager',
  known: NodeObject | undefined,
  newVersion: number,
): AuditRecord {
  const joined = { who: { kind: 'join-token', role }, request: 'POST /swarm/join', object: 'node' } as const;
  return known === undefined
    ? { ...joined, action: 'create', objectId, name: '', newVersion, fields: [] }
    : {
        ...joined,
        action: 'update',
        objectId,
        name: '',
        oldVersion: known.version,
        newVersion,
        fields: ['Availability'],
      };
}

/** SHA-256 (hex) of the public key of a request. Throws BALE_CSR_INVALID. */
const keyDigest = (csr: string): string =>
  createHash('sha256')
    .update(readCsr(csr).export({ type: 'spki', format: 'der' }))
    .digest('hex');

/** A token of another cluster is as wrong as any, although its joiner would have noticed first. */
function tokenRole(text: string, cluster: ClusterObject): 'worker' | 'manager' | 'none' {
  const token = parseJoinToken(text);
  if (token.rootDigest !== rootDigest(cluster.rootCertificate)) return 'none';
  const isWorker = isSameSecret(token.secret, cluster.joinSecrets.worker);
  const isManager = isSameSecret(token.secret, cluster.joinSecrets.manager);
  return isWorker ? 'worker' : isManager ? 'manager' : 'none';
}

function clusterOf(view: View): ClusterObject {
  const cluster = view.all('cluster')[0];
  if (cluster !== undefined) return cluster;
  throw new BaleError('the store of this manager holds no cluster', {
    kind: 'internal',
    code: 'BALE_CLUSTER_MISSING',
  });
}
