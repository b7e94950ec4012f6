import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createCsr,
  isSignedFor,
  issuerInfo,
  newPrivateKey,
  readCsr,
  readSubject,
  validity,
} from '../../../core/x509.js';
import { createRootCa } from '../../../manager/ca/root-ca.js';
import { TestCa } from '../../support/identities.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const YEAR = 365 * 24 * 60 * 60 * 1000;

describe('certificates', () => {
  it('of a node name it, its cluster and its role', async () => {
    const ca = await TestCa.create('c1');
    for (const role of ['worker', 'manager'] as const) {
      const identity = ca.identity('n1', role);
      expect(readSubject(identity.certificate)).toEqual({ nodeId: 'n1', clusterId: 'c1', role });
      expect(isSignedFor(identity.certificate, ca.certificate, identity.privateKey)).toBe(true);
    }
  });

  it('carry the server names of managers only for a manager', async () => {
    const ca = await TestCa.create('c1');
    const names = (pem: string): string | undefined => new X509Certificate(pem).subjectAltName;
    expect(names(ca.identity('n1', 'worker').certificate)).toBe('DNS:n1, DNS:swarm-worker');
    expect(names(ca.identity('n1', 'manager').certificate)).toBe('DNS:n1, DNS:swarm-manager, DNS:swarm-ca');
  });

  it('are back-dated by an hour and valid for the lifetime asked for', async () => {
    const ca = await TestCa.create();
    const now = Date.UTC(2026, 5, 1, 12, 30, 15);
    const identity = ca.identity('n1', 'worker', { now, lifetime: 3_600_000 });
    expect(validity(identity.certificate)).toEqual({ notBefore: now - 3_600_000, notAfter: now + 3_600_000 });
  });

  it('may end after 2049, where the encoding of time changes, and never outlive the root', async () => {
    const root = await createRootCa(Date.UTC(2035, 0, 1));
    expect(validity(root.certificate).notAfter).toBe(Date.UTC(2035, 0, 1) + 20 * YEAR);
    const ca = await TestCa.create();
    const identity = ca.identity('n1', 'worker', { lifetime: 30 * YEAR });
    expect(validity(identity.certificate).notAfter).toBe(validity(ca.certificate).notAfter);
  });

  it('of another root, or with another key, are told apart', async () => {
    const ca = await TestCa.create();
    const other = await TestCa.create();
    const { certificate, privateKey } = ca.identity('n1');
    expect(isSignedFor(certificate, other.certificate, privateKey)).toBe(false);
    expect(isSignedFor(certificate, ca.certificate, newPrivateKey())).toBe(false);
  });

  it.each(['', 'hello', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'refuse %j by name',
    (text) => {
      expect(() => readSubject(text)).toThrow(expect.objectContaining({ code: 'BALE_CERTIFICATE_INVALID' }) as Error);
    },
  );

  it('that are not of a node are refused', async () => {
    const ca = await TestCa.create();
    expect(() => readSubject(ca.certificate)).toThrow('the certificate of "CN=swarm-ca" is not that of a node');
  });

  it('tell their issuer as the Engine API does', async () => {
    const ca = await TestCa.create();
    const info = issuerInfo(ca.certificate);
    expect(info.TrustRoot).toBe(ca.certificate);
    // SEQUENCE { SET { SEQUENCE { commonName, PrintableString swarm-ca } } }, as every swarm shows it.
    expect(info.CertIssuerSubject).toBe('MBMxETAPBgNVBAMTCHN3YXJtLWNh');
    const key = createPublicKey(createPrivateKey(ca.privateKey)).export({ type: 'spki', format: 'der' });
    expect(info.CertIssuerPublicKey).toBe(key.toString('base64'));
  });

  it.runIf(hasOpenssl)('verify strictly by openssl, and so do requests', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bale-x509-'));
    try {
      const ca = await TestCa.create();
      const file = (name: string, text: string): string => {
        writeFileSync(join(directory, name), text);
        return join(directory, name);
      };
      const root = file('root.pem', ca.certificate);
      const node = file('node.pem', ca.identity('n1', 'manager').certificate);
      const run = (args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
      const verify = ['verify', '-x509_strict', '-CAfile', root];
      expect(run([...verify, '-purpose', 'sslserver', '-verify_hostname', 'swarm-ca', node])).toContain('OK');
      expect(run([...verify, '-purpose', 'sslclient', node])).toContain('OK');
      expect(run(['verify', '-x509_strict', '-CAfile', root, root])).toContain('OK');
      const csr = file('csr.pem', createCsr(newPrivateKey()));
      expect(() => run(['req', '-in', csr, '-noout', '-verify'])).not.toThrow();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('requests', () => {
  it('give their public key when the private one is proven', () => {
    const privateKey = newPrivateKey();
    expect(readCsr(createCsr(privateKey)).equals(createPublicKey(privateKey))).toBe(true);
  });

  it('made by openssl are read as well', () => {
    if (!hasOpenssl) return;
    const args = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'];
    const pem = execFileSync('openssl', [...args, '-keyout', '/dev/null'], { encoding: 'utf8', stdio: 'pipe' });
    expect(readCsr(pem).asymmetricKeyType).toBe('ec');
  });

  it('never give another key than the proven one, whichever byte of theirs was changed', () => {
    const privateKey = newPrivateKey();
    const der = Buffer.from(createCsr(privateKey).replaceAll(/-----.*-----|\n/g, ''), 'base64');
    let refused = 0;
    for (let at = 0; at < der.length; at += 1) {
      const forged = Buffer.from(der);
      forged[at] = (forged[at] ?? 0) ^ 0x41;
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
      try {
        expect(readCsr(pem).equals(createPublicKey(privateKey)), `byte ${at}`).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'BALE_CSR_INVALID' });
        refused += 1;
      }
    }
    // Only the outermost tag and the name of the algorithm are not proven by the signature.
    expect(refused).toBeGreaterThan(der.length - 20);
  });

  it('are refused with other keys than P-256, and when they are not requests', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    const csr = createCsr(other.export({ type: 'pkcs8', format: 'pem' }).toString());
    expect(() => readCsr(csr)).toThrow('its key is not an ECDSA P-256 key');
    expect(() => readCsr('')).toThrow('it is not a PEM block "CERTIFICATE REQUEST"');
    expect(() => readCsr(' '.repeat(200_000))).toThrow('it is not a PEM block');
  });
});
