import type { NodeIdentity } from '../../core/identity.js';
import { createCsr, newPrivateKey } from '../../core/x509.js';
import { signNodeCertificate } from '../../manager/ca/node-certificate.js';
import { createRootCa } from '../../manager/ca/root-ca.js';

const DAY = 24 * 60 * 60 * 1000;

/** A real certificate authority without a store: identities of one cluster for tests. */
export class TestCa {
  readonly clusterId: string;
  readonly certificate: string;
  readonly privateKey: string;

  private constructor(clusterId: string, root: { certificate: string; privateKey: string }) {
    this.clusterId = clusterId;
    this.certificate = root.certificate;
    this.privateKey = root.privateKey;
  }

  static async create(clusterId = 'testcluster'): Promise<TestCa> {
    return new TestCa(clusterId, await createRootCa());
  }

  /** A node's identity; `now` is when its certificate is made, so that expired ones can be had. */
  identity(
    nodeId: string,
    role: 'worker' | 'manager' = 'worker',
    options: { readonly now?: number; readonly lifetime?: number; readonly clusterId?: string } = {},
  ): NodeIdentity {
    const { now = Date.now(), lifetime = DAY, clusterId = this.clusterId } = options;
    const privateKey = newPrivateKey();
    const csr = createCsr(privateKey);
    const { certificate } = signNodeCertificate({ csr, nodeId, clusterId, role, root: this, now, lifetime });
    return { nodeId, clusterId, role, certificate, privateKey, trustRoot: this.certificate };
  }
}

/** The key of one joiner, which is in memory alone. */
export function newJoinKey(): () => Promise<string> {
  const key = newPrivateKey();
  return () => Promise.resolve(key);
}
