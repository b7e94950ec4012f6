import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const ROOT = resolve(import.meta.dirname, '..', '..');

export interface Compiled {
  /** The entry as JavaScript, for `node`. */
  readonly entry: string;
  dispose(): Promise<void>;
}

/**
 * Turns one TypeScript file and the files of the house that it imports into JavaScript, so that a
 * test can run them in a process of their own without a build. Types are not checked.
 */
export async function compile(entry: string): Promise<Compiled> {
  // Below node_modules, so that packages are found.
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, 'compiled-'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const name = basename(entry, '.ts');
  const bundle = await rolldown({
    input: { [name]: resolve(ROOT, entry) },
    platform: 'node',
    tsconfig: join(ROOT, 'tsconfig.json'),
    external: /^[^./]/,
  });
  await bundle.write({ dir: directory, format: 'esm' });
  await bundle.close();
  return {
    entry: join(directory, `${name}.js`),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}
