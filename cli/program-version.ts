import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** From package.json: one folder up from the sources' folder, and two, built, from that of the program. */
export function programVersion(): string {
  for (const folder of ['..', '../..']) {
    try {
      const text = readFileSync(join(import.meta.dirname, folder, 'package.json'), 'utf8');
      const { version } = JSON.parse(text) as { version: string }; // our own file
      return version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}
