import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaleError } from '../core/errors.js';

/** bale's own version: that of the package this file was installed with, built or not. */
export const BALE_VERSION = readVersion(['..', '../..']);

function readVersion(candidates: readonly string[]): string {
  for (const candidate of candidates) {
    try {
      const parsed: unknown = JSON.parse(readFileSync(join(import.meta.dirname, candidate, 'package.json'), 'utf8'));
      if (isPackage(parsed)) return parsed.version;
    } catch {
      // Not in this place: the layout of a build has one more directory than the sources.
    }
  }
  throw new BaleError('package.json of bale is missing or unreadable: the installation is incomplete', {
    kind: 'internal',
    code: 'BALE_INSTALLATION_BROKEN',
  });
}

function isPackage(value: unknown): value is { readonly name: 'bale'; readonly version: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    value.name === 'bale' &&
    'version' in value &&
    typeof value.version === 'string'
  );
}
