import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Enough to tell two builds apart. */
const DIGITS = 12;

/**
 * Tells this build of the program from another of the same version: a digest of its entry file and of
 * the names of the files beside it, which carry digests of what is in them. Empty where the program
 * is not built.
 */
export function programDigest(entry: string): string {
  try {
    const hash = createHash('sha256').update(readFileSync(entry));
    for (const file of readdirSync(dirname(entry)).sort()) hash.update(`\0${basename(file)}`);
    return hash.digest('hex').slice(0, DIGITS);
  } catch {
    return '';
  }
}
