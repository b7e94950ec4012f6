import { errorMessage } from '../../core/errors.js';
import { usageError } from './usage-error.js';

/** `key=value` or `key` into a map, later ones winning. */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    labels[at < 0 ? text : text.slice(0, at)] = at < 0 ? '' : text.slice(at + 1);
  }
  return labels;
}

/** `KEY=value`; a bare `KEY` takes this process's value and is left out when there is none, as docker does. */
export async function parseEnvironment(
  texts: readonly string[],
  files: readonly string[],
  own: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const lines: string[] = [];
  for (const file of files) lines.push(...(await readEnvironmentFile(file)));
  const merged = new Map<string, string>();
  for (const text of [...lines, ...texts]) {
    const key = text.split('=', 1)[0] ?? '';
    if (key === '') throw usageError('--env', text, 'a variable needs a name');
    const value = text.includes('=') ? text.slice(key.length + 1) : own[key];
    if (value !== undefined) merged.set(key, `${key}=${value}`);
  }
  return [...merged.values()];
}

async function readEnvironmentFile(file: string): Promise<readonly string[]> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError('--env-file', file, errorMessage(error));
  });
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      if (/^[^=]*\s/.test(line.split('=', 1)[0] ?? ''))
        throw usageError('--env-file', file, `"${line.split('=', 1)[0] ?? ''}" contains white space`);
      return line;
    });
}
