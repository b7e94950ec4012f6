import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../../cli/main.js';
import { serviceDocument } from '../../support/documents.js';
import { scriptedDaemon, type ScriptedAnswer } from '../../support/scripted-daemon.js';

const DIGEST = `sha256:${'d'.repeat(64)}`;
const Platforms = [
  { architecture: 'amd64', os: 'linux' },
  { architecture: 'arm', os: 'linux', variant: 'v7' },
];

const config = process.env.DOCKER_CONFIG;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-cli-'));
  process.env.DOCKER_CONFIG = directory;
});
afterEach(async () => {
  if (config === undefined) delete process.env.DOCKER_CONFIG;
  else process.env.DOCKER_CONFIG = config;
  await rm(directory, { recursive: true, force: true });
});

/** What `service …` sends to a daemon whose registry answers so. */
async function sent(registry: ScriptedAnswer | undefined, ...args: string[]) {
  const asked: string[] = [];
  await using daemon = await scriptedDaemon((request) => {
    asked.push(request);
    if (request.startsWith('GET /distribution/')) return registry;
    if (request === 'GET /services/web') return { body: serviceDocument('web', 1) };
    if (request === 'GET /images/local:1/json') return { body: { RepoDigests: [] } };
    if (request === 'POST /services/create') return { status: 201, body: { ID: 'x' } };
    return request === 'POST /services/web/update' ? { body: { Warnings: null } } : undefined;
  });
  expect(await runCli(['-H', daemon.host, 'service', ...args])).toBe(0);
  const [change] = daemon.changes;
  // The CLI's own document: a spec of the Engine API.
  const { TaskTemplate } = change?.body as {
    TaskTemplate: { ContainerSpec: { Image: string }; Placement?: { Platforms?: unknown } };
  };
  return {
    image: TaskTemplate.ContainerSpec.Image,
    platforms: TaskTemplate.Placement?.Platforms,
    request: change?.request ?? '',
    headers: daemon.headers,
    asked: asked.filter((line) => line.startsWith('GET /distribution/')),
  };
}

const FOUND: ScriptedAnswer = { body: { Descriptor: { digest: DIGEST }, Platforms } };

test('service create writes the digest and the platforms of the image, and tells the daemon that it did', async () => {
  const { image, platforms, request } = await sent(FOUND, 'create', '-d', '--name', 'web', 'reg.test/app');
  expect(image).toBe(`reg.test/app:latest@${DIGEST}`);
  expect(platforms).toEqual([
    { Architecture: 'amd64', OS: 'linux' },
    { Architecture: '', OS: 'linux' },
  ]);
  expect(request).toContain('queryRegistry=false');
});

test.each([
  ['an image that the registry does not tell', { status: 500, body: { message: 'away' } }, ['app:1'], 'app:1', 1],
  ['an image of this machine alone', FOUND, ['local:1'], 'local:1', 0],
  ['--no-resolve-image', FOUND, ['--no-resolve-image', 'app'], 'app:latest', 0],
  ['an image with a digest', FOUND, [`app:1@${DIGEST}`], `app:1@${DIGEST}`, 0],
])('%s is sent by its name', async (_what, registry, args, name, asked) => {
  const outcome = await sent(registry, 'create', '-d', ...args);
  expect(outcome.image).toBe(name);
  expect(outcome.asked).toHaveLength(asked);
});

test('service update asks for another image only', async () => {
  expect((await sent(FOUND, 'update', '-d', '--image', 'app:2', 'web')).image).toBe(`app:2@${DIGEST}`);
  expect((await sent(FOUND, 'update', '-d', '--force', 'web')).asked).toEqual([]);
});

test("--with-registry-auth sends this user's credentials for the registry of the image", async () => {
  await writeFile(join(directory, 'config.json'), '{"auths":{"reg.test":{"username":"u","password":"p"}}}');
  const { headers } = await sent(FOUND, 'create', '-d', '--with-registry-auth', 'reg.test/app:1');
  const auths = headers.map(({ 'x-registry-auth': text }) => text).filter((text) => typeof text === 'string');
  expect(auths.map((text) => JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown)).toEqual([
    { username: 'u', password: 'p' },
    { username: 'u', password: 'p' },
  ]);
  const without = await sent(FOUND, 'update', '-d', '--image', 'reg.test/app:2', 'web');
  expect(without.headers.some((one) => 'x-registry-auth' in one)).toBe(false);
  expect(without.request).toContain('registryAuthFrom=spec');
});

test('--no-registry-auth makes the service forget what it has, and goes with no new ones', async () => {
  const { request, headers } = await sent(FOUND, 'update', '-d', '--no-registry-auth', 'web');
  expect(request).toContain('registryAuthFrom=none');
  expect(headers.some((one) => 'x-registry-auth' in one)).toBe(false);
  await using daemon = await scriptedDaemon(() => undefined);
  let told = '';
  const output = { print: () => undefined, warn: (text: string) => (told += text), terminal: undefined };
  const both = ['service', 'update', '--no-registry-auth', '--with-registry-auth', 'web'];
  expect(await runCli(['-H', daemon.host, ...both], output)).toBe(1);
  expect(told).toContain('use one');
});

test('of a service that is refused only the refusal is told', async () => {
  await using daemon = await scriptedDaemon((request) =>
    request === 'POST /services/create' ? { status: 409, body: { message: 'name conflicts' } } : undefined,
  );
  let told = '';
  const output = { print: () => undefined, warn: (text: string) => (told += text), terminal: undefined };
  expect(await runCli(['-H', daemon.host, 'service', 'create', 'app:1'], output)).toBe(1);
  expect(told).toBe('Error response from daemon: name conflicts\n');
});
