import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent, syncDirectory, writeFileAtomic } from '../core/atomic-file.js';
import { newDataKey } from './secrets/vault.js';
import { BaleError, errorCode, errorMessage } from '../core/errors.js';

/** What a manager keeps on disk, under its state directory (0700). */
export interface StateDirectory {
  readonly path: string;
  /** LevelDB of the store. */
  readonly journal: string;
  /** PEM: the private key of the cluster's root; 0600. It is in no other file and in no row. */
  readonly rootKey: string;
  /** 32 bytes in base64: what secrets and configs are sealed with; 0600. It is in no other file and in no row. */
  readonly dataKey: string;
}

export const stateDirectory = (path: string): StateDirectory => ({
  path,
  journal: join(path, 'journal'),
  rootKey: join(path, 'ca.key'),
  dataKey: join(path, 'data.key'),
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

/**
 * The key of the vault. A directory without one gets one, unless `needed`: then something was sealed
 * with a key that is gone. Throws BALE_DATA_KEY_MISSING, BALE_DATA_KEY_WRONG or BALE_STATE_UNWRITABLE.
 */
export async function readDataKey({ path, dataKey }: StateDirectory, needed: boolean): Promise<Buffer> {
  const text = await readTextIfPresent(dataKey);
  if (text === undefined && needed) {
    throw new BaleError(
      `the key that secrets, configs and registry credentials are sealed with is missing at ${dataKey}: restore the directory from a backup`,
      { kind: 'unavailable', code: 'BALE_DATA_KEY_MISSING' },
    );
  }
  if (text !== undefined) {
    const key = Buffer.from(text.trim(), 'base64');
    if (key.length === newDataKey().length) return key;
    throw new BaleError(`${dataKey} holds no data key: restore the directory from a backup`, {
      kind: 'unavailable',
      code: 'BALE_DATA_KEY_WRONG',
    });
  }
  const key = newDataKey();
  try {
    await writeFileAtomic(dataKey, `${key.toString('base64')}\n`, 0o600);
  } catch (error) {
    throw unwritable(path, error);
  }
  return key;
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
export async function clearStateDirectory({ path, journal, rootKey, dataKey }: StateDirectory): Promise<void> {
  try {
    await rm(journal, { recursive: true, force: true });
    await rm(rootKey, { force: true });
    await rm(dataKey, { force: true });
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
