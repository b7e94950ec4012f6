import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.js';
import { EngineClient } from '../../../daemon/engine-client.js';
import { ImageResolver } from '../../../daemon/image-resolver.js';
import type { AuthConfig } from '../../../proto/registry/auth-config.js';
import { FakeClock } from '../../support/fake-clock.js';
import { serveEngine } from '../../support/scripted-engine.js';

const DIGEST = `sha256:${'d'.repeat(64)}`;
const FOUND = { Descriptor: { digest: DIGEST }, Platforms: [{ architecture: 'amd64', os: 'linux' }] };

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** An Engine that has `local` of the image, and whose registry answers with `remote`, or not at all. */
async function bench(local: Answer, remote: Answer | undefined, own?: AuthConfig) {
  const headers: IncomingHttpHeaders[] = [];
  const server = await serveEngine((path, response, request) => {
    const answer = path.startsWith('/distribution/') ? remote : local;
    if (path.startsWith('/distribution/')) headers.push(request.headers);
    if (answer === undefined) return;
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  });
  const clock = new FakeClock();
  const engine = new EngineClient(server.socketPath);
  const credentials = () => Promise.resolve(own);
  const resolver = new ImageResolver({ engine, credentials, clock, logger: createLogger('silent') });
  const sent = (): unknown[] =>
    headers.map(({ 'x-registry-auth': auth }): unknown =>
      typeof auth === 'string' ? JSON.parse(Buffer.from(auth, 'base64url').toString()) : undefined,
    );
  return { resolver, clock, server, sent, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const ABSENT: Answer = { status: 404, body: { message: 'No such image' } };
const pulled: Answer = { status: 200, body: { RepoDigests: [`app@sha256:${'0'.repeat(64)}`] } };

describe('an image without a digest', () => {
  test.each([
    ['that the Engine lacks', ABSENT],
    ['that was pulled once', pulled],
  ])('%s gets the one that its tag has in the registry', async (_which, local) => {
    await using at = await bench(local, { status: 200, body: FOUND });
    expect(await at.resolver.resolve('reg.test/app', undefined)).toEqual({ image: `reg.test/app:latest@${DIGEST}` });
    expect(at.server.requests.at(-1)).toBe('GET /distribution/reg.test/app/json');
  });

  test('that never was in a registry is left as it is, and nobody is asked', async () => {
    await using at = await bench({ status: 200, body: { RepoDigests: [] } }, { status: 200, body: FOUND });
    expect(await at.resolver.resolve('app:1', undefined)).toEqual({ image: 'app:1' });
    expect(at.sent()).toEqual([]);
  });

  test('that the registry does not tell comes with its words', async () => {
    await using at = await bench(ABSENT, { status: 500, body: { message: 'manifest unknown' } });
    const { image, warning } = await at.resolver.resolve('app:1', undefined);
    expect(image).toBe('app:1');
    expect(warning).toMatch(/^image app:1 could not be accessed on a registry .*manifest unknown$/);
  });

  test('waits for no registry for long, and not again soon', async () => {
    await using at = await bench(ABSENT, undefined);
    const warning = async (image: string): Promise<string | undefined> =>
      (await at.resolver.resolve(image, undefined)).warning;
    expect(await warning('reg.test/app:1')).toContain('reg.test gave no answer within 3 s');
    expect(await warning('reg.test/other:1')).toContain('reg.test gave no answer a moment ago');
    expect(at.sent()).toHaveLength(1);
  });

  test('whose Engine gives no answer is no reason to leave the registry alone', async () => {
    let isBusy = true;
    await using server = await serveEngine((path, response) => {
      if (isBusy) return;
      response.writeHead(path.startsWith('/distribution/') ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(path.startsWith('/distribution/') ? FOUND : ABSENT.body));
    });
    const resolver = new ImageResolver({
      engine: new EngineClient(server.socketPath),
      credentials: () => Promise.resolve(undefined),
      clock: new FakeClock(),
      logger: createLogger('silent'),
    });
    const { warning } = await resolver.resolve('reg.test/app:1', undefined);
    expect(warning).toContain('The cause: the Docker Engine gave no answer within 3 s');
    isBusy = false;
    expect(await resolver.resolve('reg.test/app:1', undefined)).toEqual({ image: `reg.test/app:1@${DIGEST}` });
  });

  test('without an Engine is left as it is', async () => {
    await using at = await bench(ABSENT, undefined);
    await at.server[Symbol.asyncDispose]();
    expect(await at.resolver.resolve('app:1', undefined)).toMatchObject({
      image: 'app:1',
      warning: expect.stringContaining('cannot reach the Docker Engine') as string,
    });
  });
});

test('the registry is asked with the credentials of the request, else with those of this node', async () => {
  await using at = await bench(ABSENT, { status: 200, body: FOUND }, { username: 'node', password: 'n' });
  await at.resolver.resolve('app:1', { username: 'user', password: 'u' });
  await at.resolver.resolve('app:1', undefined);
  expect(at.sent()).toEqual([
    { username: 'user', password: 'u' },
    { username: 'node', password: 'n' },
  ]);
});
