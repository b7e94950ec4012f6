import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTextIfPresent, syncDirectory, writeFileAtomic } from '../../core/atomic-file.js';
import { createCsr, newPrivateKey } from '../../core/x509.js';

/**
 * The key (PEM) of a join that is under way, in a file (0600) until the join is done: a joiner that lost the answer
 * of its manager, or was killed meanwhile, asks again with the same key and is the same node.
 */
export async function holdJoinKey(file: string): Promise<string> {
  const held = await readTextIfPresent(file);
  if (held !== undefined && isKey(held)) return held;
  const privateKey = newPrivateKey();
  await writeFileAtomic(file, privateKey, 0o600);
  return privateKey;
}

/** To be called when the join is done, or was refused: the next one is another. */
export async function dropJoinKey(file: string): Promise<void> {
  await rm(file, { force: true });
  await syncDirectory(dirname(file));
}

function isKey(text: string): boolean {
  try {
    createCsr(text);
    return true;
  } catch {
    return false;
  }
}
