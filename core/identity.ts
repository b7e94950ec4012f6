/** Who a node is. The private key was made on the node and never leaves it. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: 'worker' | 'manager';
  /** PEM: the node's certificate. */
  readonly certificate: string;
  /** PEM (PKCS#8). Never logged. */
  readonly privateKey: string;
  /** PEM: the cluster's root. */
  readonly trustRoot: string;
}

/**
 * The present identity, and news of a renewed one. Servers and clients subscribe so that a renewal
 * reaches new connections while present sessions stay up.
 */
export class IdentitySource {
  #current: NodeIdentity;
  readonly #listeners = new Set<(identity: NodeIdentity) => void>();

  constructor(identity: NodeIdentity) {
    this.#current = identity;
  }

  get current(): NodeIdentity {
    return this.#current;
  }

  replace(identity: NodeIdentity): void {
    this.#current = identity;
    for (const listener of this.#listeners) listener(identity);
  }

  /** Calls `listener` on each renewal, not with the present identity; the returned function unsubscribes. */
  subscribe(listener: (identity: NodeIdentity) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
