import { createPrivateKey, createPublicKey } from 'node:crypto';
import { CA_SERVER_NAME, CERTIFICATE_BACKDATE, newPrivateKey, signCertificate, type Name } from '../../core/x509.js';

const ROOT_LIFETIME = 20 * 365 * 24 * 60 * 60 * 1000;

export const ROOT_NAME: Name = [{ type: 'CN', value: CA_SERVER_NAME }];

/** A new self-signed root, valid for 20 years. Both PEM; the key is kept in a file of its own, 0600. */
export function createRootCa(now = Date.now()): Promise<{ certificate: string; privateKey: string }> {
  const privateKey = newPrivateKey();
  const key = createPrivateKey(privateKey);
  const certificate = signCertificate({
    subject: ROOT_NAME,
    publicKey: createPublicKey(key),
    issuer: ROOT_NAME,
    issuerKey: key,
    notBefore: now - CERTIFICATE_BACKDATE,
    notAfter: now + ROOT_LIFETIME,
    use: { kind: 'ca' },
  });
  return Promise.resolve({ certificate, privateKey });
}
