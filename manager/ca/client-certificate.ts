import { createPrivateKey, createPublicKey } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { CERTIFICATE_BACKDATE, newPrivateKey, readCsr, signCertificate, validity, type Name } from '../../core/x509.js';
import type { ClientRole } from '../../proto/client-certificate.js';

const DAY = 24 * 60 * 60 * 1000;
const ROOT_LIFETIME = 20 * 365 * DAY;
/** ms. Server certificates live in memory and are made anew long before. */
const SERVER_LIFETIME = 30 * DAY;

/** A certificate authority, both parts PEM. */
export interface ClientRoot {
  readonly certificate: string;
  readonly privateKey: string;
}

const rootName = (clusterId: string): Name => [
  { type: 'O', value: clusterId },
  { type: 'CN', value: 'bale-client-ca' },
];

/** A new root for client certificates, valid for 20 years. It is another than the nodes': neither vouches for the other. */
export function createClientRoot(clusterId: string, now: number): ClientRoot {
  const privateKey = newPrivateKey();
  const key = createPrivateKey(privateKey);
  const certificate = signCertificate({
    subject: rootName(clusterId),
    publicKey: createPublicKey(key),
    issuer: rootName(clusterId),
    issuerKey: key,
    notBefore: now - CERTIFICATE_BACKDATE,
    notAfter: now + ROOT_LIFETIME,
    use: { kind: 'ca' },
  });
  return { certificate, privateKey };
}

/** Signs the certificate (PEM) of a client, for its side of TLS alone. It never outlives the root. */
export function signClient(request: {
  readonly root: ClientRoot;
  readonly clusterId: string;
  readonly name: string;
  readonly role: ClientRole;
  /** PEM. Only its public key is taken. */
  readonly csr: string;
  readonly now: number;
  /** ms. */
  readonly lifetime: number;
}): { readonly certificate: string; readonly expiresAt: number } {
  const { root, clusterId, name, role, csr, now, lifetime } = request;
  // Certificates count in seconds.
  const expiresAt = Math.floor(Math.min(now + lifetime, validity(root.certificate).notAfter) / 1000) * 1000;
  const certificate = signCertificate({
    subject: [
      { type: 'O', value: clusterId },
      { type: 'OU', value: `bale-${role}` },
      { type: 'CN', value: name },
    ],
    publicKey: readCsr(csr),
    issuer: rootName(clusterId),
    issuerKey: createPrivateKey(root.privateKey),
    notBefore: now - CERTIFICATE_BACKDATE,
    notAfter: expiresAt,
    use: { kind: 'client' },
  });
  return { certificate, expiresAt };
}

/** What a daemon shows to its clients; all PEM. */
export interface ServerIdentity {
  readonly certificate: string;
  readonly privateKey: string;
  readonly root: string;
  /** When it should be made anew, ms since the epoch. */
  readonly renewAt: number;
}

/** A key and certificate for the server's side of TLS, for these host names and IP addresses. */
export function createServerIdentity(request: {
  readonly root: ClientRoot;
  readonly clusterId: string;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly now: number;
}): ServerIdentity {
  const { root, clusterId, names, addresses, now } = request;
  const privateKey = newPrivateKey();
  const notAfter = Math.min(now + SERVER_LIFETIME, validity(root.certificate).notAfter);
  const certificate = signCertificate({
    subject: [
      { type: 'O', value: clusterId },
      { type: 'CN', value: 'bale-daemon' },
    ],
    publicKey: createPublicKey(createPrivateKey(privateKey)),
    issuer: rootName(clusterId),
    issuerKey: createPrivateKey(root.privateKey),
    notBefore: now - CERTIFICATE_BACKDATE,
    notAfter,
    use: { kind: 'server', serverNames: names, addresses: addresses.map(addressBytes) },
  });
  return { certificate, privateKey, root: root.certificate, renewAt: now + (notAfter - now) / 2 };
}

/** The bytes of an IP address, as certificates hold it. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes each form of an IPv6 address, the dotted one too, in groups of hex.
  const [head = '', tail] = new URL(`http://[${address.split('%')[0] ?? ''}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
