import { createPrivateKey } from 'node:crypto';
import {
  CA_SERVER_NAME,
  CERTIFICATE_BACKDATE,
  readCsr,
  roleUnit,
  signCertificate,
  validity,
  type NodeSubject,
} from '../../core/x509.js';
import { ROOT_NAME } from './root-ca.js';

/** 90 days, ms: `CAConfig.NodeCertExpiry` when the spec sets none. */
export const DEFAULT_LIFETIME = 90 * 24 * 60 * 60 * 1000;

export interface NodeCertificateRequest extends NodeSubject {
  /** PEM. Only its public key is taken. */
  readonly csr: string;
  /** PEM. */
  readonly root: { readonly certificate: string; readonly privateKey: string };
  /** ms since the epoch. */
  readonly now: number;
  /** ms. */
  readonly lifetime: number;
}

/**
 * Signs the certificate (PEM) of a node for TLS in both directions. It never outlives the root.
 * Only a manager's certificate carries the server names of managers.
 */
export function signNodeCertificate(request: NodeCertificateRequest): { certificate: string; expiry: number } {
  const { nodeId, clusterId, role, now } = request;
  const unit = roleUnit(role);
  const expiry = Math.min(now + request.lifetime, validity(request.root.certificate).notAfter);
  const certificate = signCertificate({
    subject: [
      { type: 'O', value: clusterId },
      { type: 'OU', value: unit },
      { type: 'CN', value: nodeId },
    ],
    publicKey: readCsr(request.csr),
    issuer: ROOT_NAME,
    issuerKey: createPrivateKey(request.root.privateKey),
    notBefore: now - CERTIFICATE_BACKDATE,
    notAfter: expiry,
    use: { kind: 'node', serverNames: [nodeId, unit, ...(role === 'manager' ? [CA_SERVER_NAME] : [])] },
  });
  return { certificate, expiry };
}
