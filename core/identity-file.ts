import { readTextIfPresent, writeFileAtomic } from './atomic-file.js';
import { BaleError, errorMessage } from './errors.js';
import type { NodeIdentity } from './identity.js';
import { isSignedFor, readSubject } from './x509.js';

const BLOCKS = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----\n?/g;
const ORDER = ['PRIVATE KEY', 'CERTIFICATE', 'CERTIFICATE'];

/**
 * Reads a node's identity: one PEM file with its private key (PKCS#8), its certificate and the
 * cluster's root, in this order. One file, so that a crash during a renewal can never leave a key
 * without its certificate.
 *
 * Throws BALE_IDENTITY_MISSING when there is no file, BALE_IDENTITY_UNREADABLE when it is not whole.
 * An expired certificate is no error here: the node may still be asked who it is.
 */
export async function loadIdentity(path: string): Promise<NodeIdentity> {
  const text = await read(path);
  const blocks = [...text.matchAll(BLOCKS)];
  const [privateKey, certificate, trustRoot] = blocks.map(([block]) => block);
  if (
    blocks.length !== ORDER.length ||
    blocks.some(([, label], index) => label !== ORDER[index]) ||
    privateKey === undefined ||
    certificate === undefined ||
    trustRoot === undefined
  ) {
    throw unreadable(path, 'it must hold a private key, the certificate of the node and the root, in this order');
  }
  try {
    const subject = readSubject(certificate);
    if (isSignedFor(certificate, trustRoot, privateKey)) return { ...subject, certificate, privateKey, trustRoot };
  } catch (error) {
    // An error of the key's parser never holds the key itself.
    throw unreadable(path, errorMessage(error), error);
  }
  throw unreadable(path, 'its key, certificate and root do not belong together');
}

/** Writes an identity, readable by its owner alone; the file holds the old or the new one at any instant. */
export async function saveIdentity(path: string, identity: NodeIdentity): Promise<void> {
  const blocks = [identity.privateKey, identity.certificate, identity.trustRoot];
  await writeFileAtomic(path, blocks.map((block) => `${block.trimEnd()}\n`).join(''), 0o600);
}

async function read(path: string): Promise<string> {
  let text: string | undefined;
  try {
    text = await readTextIfPresent(path);
  } catch (error) {
    throw unreadable(path, errorMessage(error), error);
  }
  if (text !== undefined) return text;
  throw new BaleError(`there is no identity at ${path}: this node is in no cluster`, {
    kind: 'not-found',
    code: 'BALE_IDENTITY_MISSING',
  });
}

const unreadable = (path: string, reason: string, cause?: unknown): BaleError =>
  new BaleError(`the identity of this node at ${path} cannot be used: ${reason}`, {
    kind: 'internal',
    code: 'BALE_IDENTITY_UNREADABLE',
    cause,
  });
