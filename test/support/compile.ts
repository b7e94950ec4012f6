import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type OutputOptions, rolldown } from 'rolldown';

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
  const directory = await newDirectory({ type: 'module' });
  const name = basename(entry, '.ts');
  await build({ [name]: resolve(ROOT, entry) }, { dir: directory, format: 'esm' });
  return compiled(join(directory, `${name}.js`), directory);
}

/** The same with each file in its own place, for programs that read files of the house at run time, as the daemon does. */
export async function compileInPlace(entry: string): Promise<Compiled> {
  const directory = await newDirectory({ name: 'bale', version: '0.0.0', type: 'module' });
  await build([resolve(ROOT, entry)], {
    dir: directory,
    format: 'esm',
    preserveModules: true,
    preserveModulesRoot: ROOT,
  });
  for (const file of await readdir(join(ROOT, 'proto'))) {
    if (file.endsWith('.proto')) await cp(join(ROOT, 'proto', file), join(directory, 'proto', file));
  }
  return compiled(join(directory, entry.replace(/\.ts$/, '.js')), directory);
}

const compiled = (entry: string, directory: string): Compiled => ({
  entry,
  dispose: () => rm(directory, { recursive: true, force: true }),
});

/** Below node_modules, so that packages are found. */
async function newDirectory(description: object): Promise<string> {
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, 'compiled-'));
  await writeFile(join(directory, 'package.json'), JSON.stringify(description));
  return directory;
}

async function build(input: Record<string, string> | string[], output: OutputOptions): Promise<void> {
  const bundle = await rolldown({
    input,
    platform: 'node',
    tsconfig: join(ROOT, 'tsconfig.json'),
    external: /^[^./]/,
  });
  await bundle.write(output);
  await bundle.close();
}
