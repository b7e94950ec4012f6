import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

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
  const target = (path: string): string => join(directory, relative(ROOT, path)).replace(/\.ts$/, '.js');
  const queue = [resolve(ROOT, entry)];
  const seen = new Set(queue);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const text = await readFile(path, 'utf8');
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      if (!fileName.startsWith('.')) continue;
      const imported = resolve(dirname(path), fileName.replace(/\.js$/, '.ts'));
      if (!seen.has(imported)) queue.push(imported);
      seen.add(imported);
    }
    const { outputText } = ts.transpileModule(text, {
      fileName: path,
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
        isolatedModules: true,
      },
    });
    await mkdir(dirname(target(path)), { recursive: true });
    await writeFile(target(path), outputText);
  }
  return {
    entry: target(resolve(ROOT, entry)),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}
