import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { parseSync } from 'rolldown/utils';

/** The rooms whose walls are tested. */
export const ROOMS = ['bin', 'core', 'proto', 'manager', 'agent', 'daemon', 'cli'] as const;

export interface Import {
  readonly specifier: string;
  /** Path from the root of the repository, for a file of the house. */
  readonly target?: string;
  readonly typeOnly: boolean;
}

export interface SourceText {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export interface SourceFile extends SourceText {
  readonly lines: number;
  readonly imports: readonly Import[];
}

const root = join(import.meta.dirname, '..', '..');

export const sourceTexts = (folders: readonly string[]): readonly SourceText[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => /\.(ts|mjs|js)$/.test(path) && !path.startsWith('proto/generated'))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  );

/** The same, parsed. */
export const sourceFiles = (folders: readonly string[]): readonly SourceFile[] => sourceTexts(folders).map(parsed);

function parsed({ path, text }: SourceText): SourceFile {
  const { errors, module } = parseSync(path, text);
  if (errors.length > 0)
    throw new Error(`${path} cannot be parsed: ${errors.map(({ message }) => message).join('; ')}`);
  const imports: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const target = specifier.startsWith('.')
      ? relative('.', normalize(join(dirname(path), specifier))).replace(/\.js$/, '.ts')
      : undefined;
    imports.push({ specifier, typeOnly, ...(target === undefined ? {} : { target }) });
  };
  for (const { moduleRequest, entries } of module.staticImports) add(moduleRequest.value, areTypes(entries));
  for (const { entries } of module.staticExports) {
    const specifier = entries[0]?.moduleRequest?.value;
    if (specifier !== undefined) add(specifier, areTypes(entries));
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"`])(.*)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end));
    if (literal?.[2] !== undefined) add(literal[2], false);
  }
  return { path, lines: text.split('\n').length - 1, imports, text };
}

/** An import without names is there for what the module does when it is loaded. */
const areTypes = (entries: readonly { readonly isType: boolean }[]): boolean =>
  entries.length > 0 && entries.every(({ isType }) => isType);
