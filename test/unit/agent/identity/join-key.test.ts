import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dropJoinKey, holdJoinKey } from '../../../../agent/identity/join-key.js';
import { createCsr, readCsr } from '../../../../core/x509.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-join-key-'));
  file = join(directory, 'join-key.pem');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('a key is on disk before it is used, for its owner alone, and the same until it is dropped', async () => {
  const key = await holdJoinKey(file);
  expect(await readFile(file, 'utf8')).toBe(key);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(readCsr(createCsr(key)).type).toBe('public');
  expect(await holdJoinKey(file)).toBe(key);
  await dropJoinKey(file);
  await dropJoinKey(file);
  expect(await readdir(directory)).toEqual([]);
  expect(await holdJoinKey(file)).not.toBe(key);
});

test('what is no key is replaced by one', async () => {
  for (const text of ['', 'half a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n']) {
    await writeFile(file, text);
    const key = await holdJoinKey(file);
    expect(key).not.toBe(text);
    expect(await readFile(file, 'utf8')).toBe(key);
  }
});
