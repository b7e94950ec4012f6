import { X509Certificate } from 'node:crypto';
import { type Clock, timestamp } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { ClientCertificateDocument, IssuedClientCertificate } from '../../proto/client-certificate.js';
import { clusterOf } from '../api/cluster-of.js';
import type { Vault } from '../secrets/vault.js';
import type { ClientAccess, ClusterObject } from '../store/objects.js';
import type { Store } from '../store/store-types.js';
import {
  type ClientRoot,
  createClientRoot,
  createServerIdentity,
  type ServerIdentity,
  signClient,
} from './client-certificate.js';
import { decodeClientRequest } from './client-request.js';
import { addCertificate, type ClientVerdict, judgeClient, revokeName, stateOf } from './client-rules.js';

export interface ClientAuthorityOptions {
  readonly store: Store;
  /** Seals the key of the client CA. */
  readonly vault: Vault;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Who may use the API from other machines. A certificate counts while the store lists it as valid:
 * the store is written before a certificate is handed out, and before a revocation is confirmed.
 */
export class ClientAuthority {
  readonly #options: ClientAuthorityOptions;

  constructor(options: ClientAuthorityOptions) {
    this.#options = options;
  }

  /** Whether the holder of this certificate (SHA-256, in hex), which the client CA signed, is let in. */
  judge(id: string): ClientVerdict {
    const { store, clock } = this.#options;
    return judgeClient(clusterOf(store.view).clientAccess?.certificates ?? [], id, clock.now());
  }

  /** Calls `listener` when the list of certificates has changed. The returned function unsubscribes. */
  onChange(listener: () => void): () => void {
    return this.#options.store.watch(({ changes }) => {
      for (const change of changes) {
        if (change.table === 'cluster' && change.before?.clientAccess !== change.after?.clientAccess) listener();
      }
    });
  }

  /** Signs a client's request. Throws BALE_REQUEST_INVALID, BALE_CSR_INVALID, BALE_NAME_CONFLICT or BALE_CLIENT_CERTIFICATE_LIMIT. */
  async create(body: unknown): Promise<IssuedClientCertificate> {
    const { name, role, csr, expiry } = decodeClientRequest(body);
    const issued = await this.#options.store.update((tx) => {
      const { cluster, access, root } = this.#ensure(clusterOf(tx), tx.now);
      const signed = signClient({ root, clusterId: cluster.id, name, role, csr, now: tx.now, lifetime: expiry / 1e6 });
      const id = certificateId(new X509Certificate(signed.certificate));
      const added = { id, name, role, createdAt: tx.now, expiresAt: signed.expiresAt };
      const certificates = addCertificate(access.certificates, added);
      tx.put('cluster', { ...cluster, clientAccess: { ...access, certificates } });
      return { certificate: signed.certificate, ca: root.certificate, expiresAt: timestamp(signed.expiresAt) };
    });
    this.#options.logger.info({ name, role, expiresAt: issued.expiresAt }, 'a client certificate was made');
    return issued;
  }

  /** The newest first. */
  list(): readonly ClientCertificateDocument[] {
    const { store, clock } = this.#options;
    const now = clock.now();
    return (clusterOf(store.view).clientAccess?.certificates ?? []).toReversed().map((one) => ({
      id: one.id,
      name: one.name,
      role: one.role,
      state: stateOf(one, now),
      createdAt: timestamp(one.createdAt),
      expiresAt: timestamp(one.expiresAt),
      ...(one.revokedAt === undefined ? {} : { revokedAt: timestamp(one.revokedAt) }),
    }));
  }

  /** From the moment it resolves nobody is let in by that certificate. Throws BALE_NOT_FOUND. */
  async revoke(name: string): Promise<void> {
    await this.#options.store.update((tx) => {
      const cluster = clusterOf(tx);
      const { clientAccess } = cluster;
      const certificates = revokeName(clientAccess?.certificates ?? [], name, tx.now);
      if (clientAccess !== undefined)
        tx.put('cluster', { ...cluster, clientAccess: { ...clientAccess, certificates } });
    });
    this.#options.logger.info({ name }, 'a client certificate was revoked');
  }

  /** What a daemon shows to clients that reach it by these names and addresses. */
  async serverIdentity(names: readonly string[], addresses: readonly string[]): Promise<ServerIdentity> {
    const { store } = this.#options;
    return store.update((tx) => {
      const { cluster, access, root } = this.#ensure(clusterOf(tx), tx.now);
      if (cluster.clientAccess === undefined) tx.put('cluster', { ...cluster, clientAccess: access });
      return createServerIdentity({ root, clusterId: cluster.id, names, addresses, now: tx.now });
    });
  }

  /** The client CA, made where there is none yet; to be written by the caller's transaction. */
  #ensure(cluster: ClusterObject, now: number): { cluster: ClusterObject; access: ClientAccess; root: ClientRoot } {
    const { vault } = this.#options;
    const known = cluster.clientAccess;
    if (known !== undefined) {
      const privateKey = openClientKey(vault, cluster.id, known).toString('utf8');
      return { cluster, access: known, root: { certificate: known.rootCertificate, privateKey } };
    }
    const root = createClientRoot(cluster.id, now);
    const sealedKey = vault.seal({ kind: 'client-ca', id: cluster.id }, Buffer.from(root.privateKey));
    return { cluster, access: { rootCertificate: root.certificate, sealedKey, certificates: [] }, root };
  }
}

/** The private key (PEM) of the client CA. Throws BALE_DATA_KEY_WRONG. */
export const openClientKey = (vault: Vault, clusterId: string, { sealedKey }: ClientAccess): Buffer =>
  vault.open({ kind: 'client-ca', id: clusterId }, sealedKey);

/** `ClientCertificate.id` of a certificate. */
export const certificateId = ({ fingerprint256 }: Pick<X509Certificate, 'fingerprint256'>): string =>
  fingerprint256.replaceAll(':', '').toLowerCase();
