import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dockerConfigCredentials } from '../../../../proto/registry/registry-credentials.js';

const never = new AbortController().signal;
const PATH = process.env.PATH;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-docker-config-'));
  process.env.PATH = `${directory}:${PATH ?? ''}`;
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(directory, { recursive: true, force: true });
});

const config = (document: unknown): Promise<void> =>
  writeFile(join(directory, 'config.json'), typeof document === 'string' ? document : JSON.stringify(document));
const helper = (script: string): Promise<void> =>
  writeFile(join(directory, 'docker-credential-test'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
const look = (registry = 'reg:5000', signal = never) =>
  dockerConfigCredentials({ DOCKER_CONFIG: directory })(registry, signal);

test('a machine without a configuration has none', async () => {
  expect(await look()).toBeUndefined();
});

test('what the file says now is what counts', async () => {
  for (const text of ['u:p', 'u:changed']) {
    await config({ auths: { 'reg:5000': { auth: Buffer.from(text).toString('base64') } } });
    expect(await look()).toMatchObject({ username: 'u', password: text.slice(2) });
  }
});

test('a helper is asked for the registry each time', async () => {
  await config({ credHelpers: { 'reg:5000': 'test' } });
  await helper(`[ "$1" = get ] && read server && printf '{"Username":"u","Secret":"for %s"}' "$server"`);
  expect(await look()).toMatchObject({ username: 'u', password: 'for reg:5000' });
  await helper(`printf '{"Username":"<token>","Secret":"t"}'`);
  expect(await look()).toEqual({ identitytoken: 't', serveraddress: 'reg:5000' });
});

test('a helper that knows nothing leaves the word to the file', async () => {
  await config({ credsStore: 'test', auths: { 'reg:5000': { username: 'u', password: 'p' } } });
  await helper('echo credentials not found in native keychain; exit 1');
  expect(await look()).toEqual({ username: 'u', password: 'p' });
});

test.each([
  ['fails', 'echo SECRET-TEXT; exit 3', /docker-credential-test gave no credentials for reg:5000: .*exit code 3/],
  ['talks nonsense', 'echo SECRET-TEXT', /its answer is no JSON/],
])('a helper that %s is named, what it printed is not', async (_how, script, text) => {
  await config({ credsStore: 'test' });
  await helper(script);
  const error = await look().catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    code: 'BALE_CREDENTIAL_HELPER_FAILED',
    message: expect.stringMatching(text) as string,
  });
  expect(String(error)).not.toContain('SECRET-TEXT');
});

test('a helper that hangs is ended when nobody waits any more', async () => {
  await config({ credsStore: 'test' });
  const asked = join(directory, 'asked');
  await helper(`touch ${asked}; sleep 600`);
  const abort = new AbortController();
  const ended = expect(look('reg:5000', abort.signal)).rejects.toMatchObject({ code: 'BALE_CREDENTIAL_HELPER_FAILED' });
  await expect.poll(() => existsSync(asked)).toBe(true);
  abort.abort();
  await ended;
});

test('a helper that is not installed is named', async () => {
  await config({ credsStore: 'not-installed' });
  await expect(look()).rejects.toThrow(/docker-credential-not-installed/);
});

test('of a file that is no JSON nothing is repeated', async () => {
  await config('{"auths": SECRET-TEXT');
  const error = await look().catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'BALE_DOCKER_CONFIG_UNREADABLE' });
  expect(String(error)).not.toContain('SECRET-TEXT');
});
