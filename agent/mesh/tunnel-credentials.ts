import type { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { IdentitySource, NodeIdentity } from '../../core/identity.js';
import { readSubject, type NodeSubject } from '../../core/x509.js';

export const contextOptions = (identity: NodeIdentity): SecureContextOptions => ({
  key: identity.privateKey,
  cert: identity.certificate,
  ca: identity.trustRoot,
  minVersion: 'TLSv1.3',
});

/** The TLS context of the present identity, for dialling; made again after a renewal. */
export class TunnelCredentials {
  readonly #identity: IdentitySource;
  #madeFor: NodeIdentity | undefined;
  #context: SecureContext | undefined;

  constructor(identity: IdentitySource) {
    this.#identity = identity;
  }

  get clusterId(): string {
    return this.#identity.current.clusterId;
  }

  get context(): SecureContext {
    const identity = this.#identity.current;
    if (this.#context === undefined || this.#madeFor !== identity) {
      this.#context = createSecureContext(contextOptions(identity));
      this.#madeFor = identity;
    }
    return this.#context;
  }
}

/** Who the peer of a verified connection is; undefined when its certificate is not that of a node. */
export function subjectOf(certificate: X509Certificate | undefined): NodeSubject | undefined {
  if (certificate === undefined) return undefined;
  try {
    return readSubject(certificate);
  } catch {
    return undefined;
  }
}
