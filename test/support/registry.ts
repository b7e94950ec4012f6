import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

export interface TestRegistry extends AsyncDisposable {
  /** `host:port`, which names of its images begin with. */
  readonly name: string;
  /** What it was asked, a line per request, so far. */
  log(): Promise<string>;
}

/** A user of a registry. The hash is bcrypt, the one kind that a registry takes. */
export const REGISTRY_USER = {
  name: 'someone',
  password: 'right-password-of-the-registry',
  hash: '$2y$05$abcdefghijklmnopqrstuufDBK.2Z3KfR9VaWxTkCq20J7jb6xL6O',
} as const;

/** A real registry, Debian's `docker-registry`, over plain HTTP; with `users: true` it asks for a password. */
export async function startRegistry(host: string, { users }: { readonly users: boolean }): Promise<TestRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'bale-registry-'));
  const port = await freePort();
  const passwords = join(directory, 'htpasswd');
  await writeFile(passwords, `${REGISTRY_USER.name}:${REGISTRY_USER.hash}\n`);
  const file = join(directory, 'config.yml');
  const auth = users ? `auth: { htpasswd: { realm: test, path: ${passwords} } }\n` : '';
  const storage = `storage: { filesystem: { rootdirectory: ${join(directory, 'images')} }, delete: { enabled: true } }`;
  await writeFile(file, `version: 0.1\n${storage}\nhttp: { addr: '${host}:${port}', secret: x }\n${auth}`);
  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = join(directory, 'log');
  const stream = createWriteStream(log, { flags: 'a' });
  child.stdout.pipe(stream, { end: false });
  child.stderr.pipe(stream, { end: false });
  const dispose = async (): Promise<void> => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    await rm(directory, { recursive: true, force: true });
  };
  const base = `http://${host}:${port}/v2/`;
  try {
    await eventually('the registry to answer', () =>
      fetch(base).then(
        ({ status }) => status === 200 || status === 401,
        () => false,
      ),
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return { name: `${host}:${port}`, log: () => readFile(log, 'utf8'), [Symbol.asyncDispose]: dispose };
}
