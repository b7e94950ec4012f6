import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent, syncDirectory, writeFileAtomic } from '../core/atomic-file.js';
import { BaleError, errorCode, errorMessage } from '../core/errors.js';

/** What a manager keeps on disk, under its state directory (0700). */
export interface StateDirectory {
  readonly path: string;
  /** LevelDB of the store. */
  readonly journal: string;
  /** PEM: the private key of the cluster's root; 0600. It is in no other file and in no row. */
  readonly rootKey: string;
}

export const stateDirectory = (path: string): StateDirectory => ({
  path,
  journal: join(path, 'journal'),
  rootKey: join(path, 'ca.key'),
});

/** The root's private key (PEM). Throws BALE_CA_KEY_MISSING or BALE_CA_KEY_UNREADABLE naming the file. */
export async function readRootKey({ rootKey }: StateDirectory): Promise<string> {
  let text: string | undefined;
  try {
    text = await readTextIfPresent(rootKey);
  } catch (error) {
    throw new BaleError(
      `the key of the cluster's certificate authority at ${rootKey} cannot be read: ${errorMessage(error)}`,
      { kind: 'unavailable', code: 'BALE_CA_KEY_UNREADABLE', cause: error },
    );
  }
  if (text !== undefined) return text;
  throw new BaleError(
    `the key of the cluster's certificate authority is missing at ${rootKey}: restore the directory from a backup`,
    { kind: 'unavailable', code: 'BALE_CA_KEY_MISSING' },
  );
}

/** Throws BALE_STATE_UNWRITABLE naming the directory. */
export async function writeRootKey({ path, rootKey }: StateDirectory, key: string): Promise<void> {
  try {
    await writeFileAtomic(rootKey, key, 0o600);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Removes what an init that never came to its end left behind. Throws BALE_STATE_UNWRITABLE. */
export async function clearStateDirectory({ path, journal, rootKey }: StateDirectory): Promise<void> {
  try {
    await rm(journal, { recursive: true, force: true });
    await rm(rootKey, { force: true });
    await syncDirectory(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw unwritable(path, error);
  }
}

const unwritable = (path: string, error: unknown): BaleError =>
  new BaleError(`the state directory ${path} cannot be written: ${errorMessage(error)}`, {
    kind: 'unavailable',
    code: 'BALE_STATE_UNWRITABLE',
    cause: error,
  });
