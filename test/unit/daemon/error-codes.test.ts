import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DAEMON_OPTIONS } from '../../../daemon/options.js';

const root = join(import.meta.dirname, '..', '..', '..');
const VARIABLES = new Set([...DAEMON_OPTIONS.map(({ env }) => env), 'BALE_HOST']);

/** Codes that the sources quote; names of variables look the same. */
function codesOf(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('generated'))
    .flatMap((name) => [...readFileSync(join(root, folder, name), 'utf8').matchAll(/['`](BALE_[A-Z_]+)['`]/g)])
    .map(([, code]) => code ?? '')
    .filter((code) => !VARIABLES.has(code));
}

test('docs/errors.md explains every code, and no other', () => {
  const used = new Set(['core', 'proto', 'manager', 'agent', 'daemon', 'cli'].flatMap(codesOf));
  const table = readFileSync(join(root, 'docs', 'errors.md'), 'utf8');
  const explained = new Set(
    [...table.matchAll(/^\| (BALE_[^|]+)\|/gm)].flatMap(([, cell]) => (cell ?? '').trim().split(', ')),
  );
  expect([...explained].sort()).toEqual([...used].sort());
});
