import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { createRequire } from 'node:module';
import type forge from 'node-forge';
import { BaleError, errorMessage } from './errors.js';

/**
 * X.509 on ECDSA P-256. Certificates are parsed and verified by node:crypto. What node:crypto cannot
 * make (requests, certificates) is encoded by node-forge's ASN.1, since forge's own X.509 layer signs by RSA only.
 */

/** Certificates are valid from this long before they are made, so that clocks may differ, ms. */
export const CERTIFICATE_BACKDATE = 60 * 60 * 1000;

/** Server names are roles, not addresses: a node may change its address. */
export const CA_SERVER_NAME = 'swarm-ca';
export const MANAGER_SERVER_NAME = 'swarm-manager';

/** Whom a node certificate names: CN, O and OU. */
export interface NodeSubject {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: 'worker' | 'manager';
}

/** The `TLSInfo` document of the Engine API. */
export interface IssuerInfo {
  TrustRoot: string;
  CertIssuerSubject: string;
  CertIssuerPublicKey: string;
}

export interface CertificateContent {
  readonly subject: Name;
  readonly publicKey: KeyObject;
  readonly issuer: Name;
  readonly issuerKey: KeyObject;
  /** ms since the epoch; kept to the second. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly use: CertificateUse;
}

export type CertificateUse =
  | { readonly kind: 'ca' }
  /** Both sides of TLS. */
  | { readonly kind: 'node'; readonly serverNames: readonly string[] }
  | { readonly kind: 'client' }
  /** `addresses`: the 4 or 16 bytes of IP addresses. */
  | { readonly kind: 'server'; readonly serverNames: readonly string[]; readonly addresses: readonly Buffer[] };

/** A distinguished name, in the order of its encoding. */
export type Name = readonly { readonly type: 'O' | 'OU' | 'CN'; readonly value: string }[];

/** A new P-256 private key, PEM (PKCS#8). */
export const newPrivateKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/**
 * A PKCS#10 request, PEM. It carries the public key and proves the private one; its subject is
 * empty, since an authority takes nothing else from it.
 */
export function createCsr(privateKeyPem: string): string {
  const der = encoder();
  const key = createPrivateKey(privateKeyPem);
  const info = der.sequence([
    der.integer(Buffer.from([0])),
    der.sequence([]),
    der.parse(createPublicKey(key).export({ type: 'spki', format: 'der' })),
    der.tagged(0, []),
  ]);
  return pem('CERTIFICATE REQUEST', signed(der, info, key));
}

/** The public key of a request whose signature proves the private one. Throws BALE_CSR_INVALID. */
export function readCsr(csrPem: string): KeyObject {
  try {
    const request = elements(pemBody(csrPem, 'CERTIFICATE REQUEST'))[0];
    const [info, , signature] = elements(request?.content);
    const spki = elements(info?.content)[2];
    if (info === undefined || signature === undefined || spki === undefined) throw new Error('it is cut off');
    const key = createPublicKey({ key: spki.whole, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
      throw new Error('its key is not an ECDSA P-256 key');
    }
    // The first octet of a BIT STRING counts its unused bits.
    if (!verify('sha256', info.whole, key, signature.content.subarray(1))) {
      throw new Error('its signature does not match its key');
    }
    return key;
  } catch (error) {
    throw new BaleError(`the certificate request cannot be used: ${errorMessage(error)}`, {
      kind: 'invalid',
      code: 'BALE_CSR_INVALID',
    });
  }
}

/** Builds and signs a certificate, PEM. */
export function signCertificate(content: CertificateContent): string {
  const der = encoder();
  const spki = content.publicKey.export({ type: 'spki', format: 'der' });
  const issuerSpki = createPublicKey(content.issuerKey).export({ type: 'spki', format: 'der' });
  const serial = randomBytes(16);
  // Positive and of constant length.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const body = der.sequence([
    der.tagged(0, [der.integer(Buffer.from([2]))]),
    der.integer(serial),
    der.sequence([der.oid(OID.ecdsaWithSha256)]),
    der.name(content.issuer),
    der.sequence([der.time(content.notBefore), der.time(content.notAfter)]),
    der.name(content.subject),
    der.parse(spki),
    der.tagged(3, [der.sequence(extensions(der, content, keyId(spki), keyId(issuerSpki)))]),
  ]);
  return pem('CERTIFICATE', signed(der, body, content.issuerKey));
}

/** Whom a node's certificate (PEM or DER) names. Throws BALE_CERTIFICATE_INVALID when it is not a node's. */
export function readSubject(certificate: string | Buffer | X509Certificate): NodeSubject {
  const text = (certificate instanceof X509Certificate ? certificate : parseCertificate(certificate)).subject;
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    fields.set(line.slice(0, at), line.slice(at + 1));
  }
  const nodeId = fields.get('CN');
  const clusterId = fields.get('O');
  const role = ROLE_OF_UNIT.get(fields.get('OU') ?? '');
  if (nodeId === undefined || clusterId === undefined || role === undefined || fields.size !== 3) {
    throw new BaleError(`the certificate of "${text.replaceAll('\n', ', ')}" is not that of a node`, {
      kind: 'unauthenticated',
      code: 'BALE_CERTIFICATE_INVALID',
    });
  }
  return { nodeId, clusterId, role };
}

export const roleUnit = (role: NodeSubject['role']): string =>
  role === 'manager' ? MANAGER_SERVER_NAME : 'swarm-worker';

/** From and until when a certificate (PEM) is valid, ms since the epoch. */
export function validity(certificatePem: string): { readonly notBefore: number; readonly notAfter: number } {
  const certificate = parseCertificate(certificatePem);
  return { notBefore: Date.parse(certificate.validFrom), notAfter: Date.parse(certificate.validTo) };
}

/** Whether `certificatePem` was signed by the root `rootPem` and belongs to `privateKeyPem`. Dates are not looked at. */
export function isSignedFor(certificatePem: string, rootPem: string, privateKeyPem: string): boolean {
  const certificate = parseCertificate(certificatePem);
  const root = parseCertificate(rootPem);
  return (
    root.ca &&
    certificate.checkIssued(root) &&
    certificate.verify(root.publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(privateKeyPem))
  );
}

/** The Engine API's view of the root (PEM) that issued a node's certificate. */
export function issuerInfo(rootPem: string): IssuerInfo {
  const root = parseCertificate(rootPem);
  const certificate = elements(root.raw)[0];
  const body = elements(elements(certificate?.content)[0]?.content);
  // version, serial, signature, issuer, validity, subject, …
  const subject = body[5]?.whole ?? Buffer.alloc(0);
  return {
    TrustRoot: rootPem,
    CertIssuerSubject: subject.toString('base64'),
    CertIssuerPublicKey: root.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

const ROLE_OF_UNIT: ReadonlyMap<string, NodeSubject['role']> = new Map([
  ['swarm-worker', 'worker'],
  ['swarm-manager', 'manager'],
]);

const OID = {
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

// KeyUsage is a BIT STRING: the first octet counts its unused bits.
const CA_USAGE = Buffer.from([1, 0x06]); // keyCertSign, cRLSign
const PEER_USAGE = Buffer.from([7, 0x80]); // digitalSignature: all that TLS 1.3 asks for, and 1.2 with ephemeral keys

function extensions(der: Encoder, content: CertificateContent, subjectKey: Buffer, issuerKey: Buffer): Asn1[] {
  const extension = (oid: string, critical: boolean, value: Asn1): Asn1 =>
    der.sequence([der.oid(oid), ...(critical ? [der.true()] : []), der.octets(der.bytes(value))]);
  const identifiers = [
    extension(OID.subjectKeyId, false, der.octets(subjectKey)),
    extension(OID.authorityKeyId, false, der.sequence([der.implicit(0, issuerKey)])),
  ];
  const peer = (purposes: readonly string[], names: readonly Asn1[]): Asn1[] => [
    extension(OID.basicConstraints, true, der.sequence([])),
    extension(OID.keyUsage, true, der.bits(PEER_USAGE)),
    extension(OID.extendedKeyUsage, false, der.sequence(purposes.map((purpose) => der.oid(purpose)))),
    ...identifiers,
    ...(names.length === 0 ? [] : [extension(OID.subjectAltName, false, der.sequence([...names]))]),
  ];
  const dnsNames = (names: readonly string[]): readonly Asn1[] =>
    names.map((name) => der.implicit(2, Buffer.from(name, 'ascii')));
  const { use } = content;
  switch (use.kind) {
    case 'ca':
      return [
        extension(OID.basicConstraints, true, der.sequence([der.true()])),
        extension(OID.keyUsage, true, der.bits(CA_USAGE)),
        ...identifiers,
      ];
    case 'node':
      return peer([OID.serverAuth, OID.clientAuth], dnsNames(use.serverNames));
    case 'client':
      return peer([OID.clientAuth], []);
    case 'server':
      return peer(
        [OID.serverAuth],
        [...dnsNames(use.serverNames), ...use.addresses.map((address) => der.implicit(7, address))],
      );
  }
}

/** The key identifier of RFC 5280 4.2.1.2 (1) over the key itself, which ends an EC SubjectPublicKeyInfo. */
const keyId = (spki: Buffer): Buffer => createHash('sha1').update(spki.subarray(-65)).digest();

function signed(der: Encoder, body: Asn1, key: KeyObject): Buffer {
  const signature = sign('sha256', der.bytes(body), key);
  return der.bytes(
    der.sequence([
      body,
      der.sequence([der.oid(OID.ecdsaWithSha256)]),
      der.bits(Buffer.concat([Buffer.from([0]), signature])),
    ]),
  );
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function pemBody(text: string, label: string): Buffer {
  const match = new RegExp(`^-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----\\s*$`).exec(text);
  if (match?.[1] === undefined) throw new Error(`it is not a PEM block "${label}"`);
  return Buffer.from(match[1], 'base64');
}

function parseCertificate(certificate: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (error) {
    throw new BaleError(`the certificate cannot be read: ${errorMessage(error)}`, {
      kind: 'invalid',
      code: 'BALE_CERTIFICATE_INVALID',
    });
  }
}

interface DerElement {
  readonly whole: Buffer;
  readonly content: Buffer;
}

/**
 * The DER elements that stand one after the other in `buffer`, without decoding them. Reading needs
 * the very bytes that were signed, and agents read their root at start without loading forge.
 */
function elements(buffer: Buffer | undefined): readonly DerElement[] {
  const found: DerElement[] = [];
  for (let at = 0; buffer !== undefined && at < buffer.length;) {
    let length = buffer[at + 1] ?? 0;
    let header = 2;
    if (length > 0x80) {
      const octets = length - 0x80;
      if (octets > 4 || at + 2 + octets > buffer.length) throw new Error('its encoding is broken');
      length = buffer.readUIntBE(at + 2, octets);
      header += octets;
    }
    const end = at + header + length;
    if (length === 0x80 || end > buffer.length) throw new Error('its encoding is broken');
    found.push({ whole: buffer.subarray(at, end), content: buffer.subarray(at + header, end) });
    at = end;
  }
  return found;
}

type Asn1 = forge.asn1.Asn1;
type Encoder = ReturnType<typeof makeEncoder>;
let loaded: Encoder | undefined;

/** Loaded on first use, and only forge's ASN.1: an agent makes a request once in weeks. */
function encoder(): Encoder {
  // The sub-path has no type declarations of its own; it is what the package exposes as `asn1`.
  loaded ??= makeEncoder(createRequire(import.meta.url)('node-forge/lib/asn1.js') as typeof forge.asn1);
  return loaded;
}

/** DER values by forge, which keeps bytes in binary strings. */
function makeEncoder(asn1: typeof forge.asn1) {
  const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
  const types = asn1.Type;
  const leaf = (type: forge.asn1.Type, bytes: Buffer): Asn1 =>
    asn1.create(UNIVERSAL, type, false, bytes.toString('latin1'));
  const sequence = (items: Asn1[]): Asn1 => asn1.create(UNIVERSAL, types.SEQUENCE, true, items);
  // forge names a context-specific tag number by the universal type of that number.
  const contextTags = { 0: types.NONE, 2: types.INTEGER, 3: types.BITSTRING, 7: types.ODESC };
  const oid = (dotted: string): Asn1 => asn1.create(UNIVERSAL, types.OID, false, asn1.oidToDer(dotted).getBytes());
  return {
    sequence,
    oid,
    parse: (bytes: Buffer): Asn1 => asn1.fromDer(bytes.toString('latin1')),
    bytes: (value: Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1'),
    integer: (bytes: Buffer): Asn1 => leaf(types.INTEGER, bytes),
    octets: (bytes: Buffer): Asn1 => leaf(types.OCTETSTRING, bytes),
    bits: (bytes: Buffer): Asn1 => leaf(types.BITSTRING, bytes),
    true: (): Asn1 => leaf(types.BOOLEAN, Buffer.from([0xff])),
    tagged: (tag: 0 | 3, items: Asn1[]): Asn1 => asn1.create(CONTEXT_SPECIFIC, contextTags[tag], true, items),
    implicit: (tag: 0 | 2 | 7, bytes: Buffer): Asn1 =>
      asn1.create(CONTEXT_SPECIFIC, contextTags[tag], false, bytes.toString('latin1')),
    name: (name: Name): Asn1 =>
      sequence(
        name.map(({ type, value }) => {
          // Ids, role names and names of clients: nothing that a reader of the subject would have to unescape.
          if (!/^[A-Za-z0-9._@-]+$/.test(value)) throw new Error(`"${value}" cannot stand in a certificate's name`);
          // A PrintableString has neither of the two.
          const kind = /[_@]/.test(value) ? types.UTF8 : types.PRINTABLESTRING;
          const text = leaf(kind, Buffer.from(value, 'ascii'));
          return asn1.create(UNIVERSAL, types.SET, true, [sequence([oid(OID[type]), text])]);
        }),
      ),
    /** UTCTime until 2049, GeneralizedTime afterwards (RFC 5280 4.1.2.5). */
    time: (ms: number): Asn1 => {
      const date = new Date(ms);
      return date.getUTCFullYear() < 2050
        ? asn1.create(UNIVERSAL, types.UTCTIME, false, asn1.dateToUtcTime(date))
        : asn1.create(UNIVERSAL, types.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));
    },
  };
}
