import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.js';
import { BaleError, errorMessage } from '../core/errors.js';
import { createCsr, newPrivateKey } from '../core/x509.js';
import type { TlsFiles } from './daemon-host.js';

/** A key that never leaves this machine, and the request that proves it. */
export function newRequest(): { readonly privateKey: string; readonly csr: string } {
  const privateKey = newPrivateKey();
  return { privateKey, csr: createCsr(privateKey) };
}

/** Where a client's files will be written. */
export interface ClientDirectory {
  /** Absolute. */
  readonly path: string;
  write(files: TlsFiles): Promise<void>;
}

const NAMES = ['ca.pem', 'cert.pem', 'key.pem'];

/**
 * Makes sure, before a certificate is asked for, that its files can be written and that they replace
 * none. Throws BALE_CLIENT_DIRECTORY.
 */
export async function claimDirectory(directory: string): Promise<ClientDirectory> {
  const path = resolve(directory);
  const wrong = (what: string): BaleError =>
    new BaleError(`--out: ${path} ${what}`, { kind: 'failed-precondition', code: 'BALE_CLIENT_DIRECTORY' });
  let present: readonly string[];
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    present = await readdir(path);
  } catch (error) {
    throw wrong(`cannot be used: ${errorMessage(error)}`);
  }
  const taken = NAMES.filter((name) => present.includes(name));
  if (taken.length > 0) throw wrong(`holds ${taken.join(', ')} already; choose another directory`);
  return {
    path,
    write: async ({ ca, cert, key }) => {
      await writeFileAtomic(join(path, 'key.pem'), key, 0o600);
      await writeFileAtomic(join(path, 'ca.pem'), ca, 0o644);
      await writeFileAtomic(join(path, 'cert.pem'), cert, 0o644);
    },
  };
}
