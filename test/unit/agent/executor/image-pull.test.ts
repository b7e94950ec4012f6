import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../../../agent/executor/engine.js';
import { ImagePulls } from '../../../../agent/executor/image-pull.js';
import { serveEngine, type ScriptedEngine } from '../../../support/scripted-engine.js';

interface Bench extends AsyncDisposable {
  readonly server: ScriptedEngine;
  readonly pulls: ImagePulls;
  /** The answer to the next pull, once it was asked for. */
  readonly pulling: Promise<ServerResponse>;
  readonly posts: () => number;
}

/** An Engine without images, whose pulls end when the test says so. */
async function bench(): Promise<Bench> {
  let begin: (response: ServerResponse) => void = () => undefined;
  const pulling = new Promise<ServerResponse>((resolve) => (begin = resolve));
  const server = await serveEngine((path, response) => {
    if (path.startsWith('/images/create')) {
      response.writeHead(200);
      response.write('{"status":"Pulling from library/app","id":"1"}\n');
      begin(response);
      return;
    }
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"message":"No such image: app:1"}');
  });
  return {
    server,
    pulls: new ImagePulls(new Engine(server.socketPath), () => Promise.resolve(undefined)),
    pulling,
    posts: () => server.requests.filter((line) => line.startsWith('POST')).length,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const never = new AbortController().signal;

/** A pull that has joined: resolves at its first line of progress. */
function join(
  pulls: ImagePulls,
  signal: AbortSignal,
): { readonly joined: Promise<string>; readonly done: Promise<void> } {
  let tell: (line: string) => void = () => undefined;
  const joined = new Promise<string>((resolve) => (tell = resolve));
  return { joined, done: pulls.ensure('app:1', undefined, tell, signal) };
}

describe('pulling an image', () => {
  test('that several tasks want is one pull, which each follows', async () => {
    await using at = await bench();
    const first = join(at.pulls, never);
    const second = join(at.pulls, never);
    const response = await at.pulling;
    response.write('{"status":"Downloading","id":"2"}\n');
    expect(await Promise.all([first.joined, second.joined])).toHaveLength(2);
    response.end('{"status":"Downloaded newer image"}\n');
    await Promise.all([first.done, second.done]);
    expect(at.server.requests.filter((line) => line.startsWith('POST'))).toEqual([
      'POST /images/create?fromImage=app&tag=1',
    ]);
  });

  test('asks the registry for an image that is there only when it shall be fresh', async () => {
    await using server = await serveEngine((path, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(path.startsWith('/images/create') ? '{"status":"Image is up to date"}\n' : '{"Id":"sha256:1"}');
    });
    const pulls = new ImagePulls(new Engine(server.socketPath), () => Promise.resolve(undefined));
    const posts = (): readonly string[] => server.requests.filter((line) => line.startsWith('POST'));
    await pulls.ensure('app:1', undefined, () => undefined, never);
    expect(posts()).toEqual([]);
    await pulls.ensure('app:1', undefined, () => undefined, never, true);
    await pulls.ensure('app:1', undefined, () => undefined, never, true);
    expect(posts()).toHaveLength(2);
  });

  test('goes on while one of its tasks wants it, and ends with the last', async () => {
    await using at = await bench();
    const one = new AbortController();
    const other = new AbortController();
    const first = join(at.pulls, one.signal);
    const second = join(at.pulls, other.signal);
    const response = await at.pulling;
    const closed = new Promise<void>((resolve) => response.on('close', resolve));
    await first.joined;
    one.abort();
    await expect(first.done).rejects.toMatchObject({ name: 'AbortError' });
    expect(response.destroyed).toBe(false);
    other.abort();
    await expect(second.done).rejects.toMatchObject({ name: 'AbortError' });
    await closed;
  });

  test('is not begun for a task that has gone, nor waited for', async () => {
    await using at = await bench();
    await expect(join(at.pulls, AbortSignal.abort()).done).rejects.toMatchObject({ name: 'AbortError' });
    expect(at.server.requests).toEqual([]);
  });

  test('fails with the words of the registry', async () => {
    await using at = await bench();
    const { done } = join(at.pulls, never);
    const response = await at.pulling;
    response.end('{"error":"manifest for app:1 not found: manifest unknown","errorDetail":{}}\n');
    await expect(done).rejects.toMatchObject({
      code: 'BALE_IMAGE_PULL_FAILED',
      message: 'No such image: app:1: manifest for app:1 not found: manifest unknown',
    });
  });

  test('whose connection breaks found an Engine that went away', async () => {
    await using at = await bench();
    const { done } = join(at.pulls, never);
    (await at.pulling).destroy();
    await expect(done).rejects.toMatchObject({ code: 'BALE_ENGINE_UNAVAILABLE' });
  });
});

/** An Engine that answers pulls with one line each, in turn, and remembers the credentials that came along. */
async function registry(answers: readonly string[]) {
  const asked: unknown[] = [];
  const server = await serveEngine((path, response, request) => {
    if (!path.startsWith('/images/create')) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"message":"No such image: app:1"}');
      return;
    }
    const header = request.headers['x-registry-auth'];
    asked.push(typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64url').toString()) : undefined);
    response.writeHead(200);
    response.end(`${answers[asked.length - 1] ?? '{"status":"Downloaded newer image"}'}\n`);
  });
  return { asked, engine: new Engine(server.socketPath), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const error = (text: string): string => JSON.stringify({ error: text, errorDetail: { message: text } });
const UNAUTHORIZED = error('Head "http://reg/v2/app/manifests/1": unauthorized: authentication required');
const of = (username: string) => ({ username, password: 'p' });
const nothing = (): void => undefined;

describe('credentials of a pull', () => {
  test("are the service's", async () => {
    await using at = await registry([]);
    const pulls = new ImagePulls(at.engine, () => Promise.resolve(of('node')));
    await pulls.ensure('reg/app:1', of('service'), nothing, never);
    expect(at.asked).toEqual([of('service')]);
  });

  test("are the node's own for the registry of the image when the service has none", async () => {
    await using at = await registry([]);
    const pulls = new ImagePulls(at.engine, (name) => Promise.resolve(of(`node at ${name}`)));
    await pulls.ensure('reg.test:5000/app:1', undefined, nothing, never);
    expect(at.asked).toEqual([of('node at reg.test:5000')]);
  });

  test("are the node's own when the registry refuses those of the service", async () => {
    await using at = await registry([UNAUTHORIZED]);
    const pulls = new ImagePulls(at.engine, () => Promise.resolve(of('node')));
    await pulls.ensure('reg/app:1', of('service'), nothing, never);
    expect(at.asked).toEqual([of('service'), of('node')]);
  });

  test('that are refused end it with the words of the registry, without another try', async () => {
    await using at = await registry([UNAUTHORIZED]);
    const pulls = new ImagePulls(at.engine, () => Promise.resolve(undefined));
    await expect(pulls.ensure('reg/app:1', of('service'), nothing, never)).rejects.toMatchObject({
      code: 'BALE_IMAGE_PULL_FAILED',
      message: expect.stringContaining('unauthorized: authentication required') as string,
    });
    expect(at.asked).toEqual([of('service')]);
  });

  test('that a helper does not give are named beside the words of the registry', async () => {
    await using at = await registry([UNAUTHORIZED]);
    const pulls = new ImagePulls(at.engine, () => Promise.reject(new Error('docker-credential-x gave none')));
    await expect(pulls.ensure('reg/app:1', undefined, nothing, never)).rejects.toThrow(
      /unauthorized: authentication required \(docker-credential-x gave none\)$/,
    );
  });

  test('keep pulls of one image apart', async () => {
    await using at = await registry([UNAUTHORIZED]);
    const pulls = new ImagePulls(at.engine, () => Promise.resolve(undefined));
    const results = await Promise.allSettled([
      pulls.ensure('app:1', of('wrong'), nothing, never),
      pulls.ensure('app:1', of('right'), nothing, never),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

test('a registry that is away for a moment is asked again, and the wait says why', async () => {
  await using at = await registry([error('dial tcp 10.0.0.1:5000: connect: connection refused')]);
  const lines: string[] = [];
  const pulls = new ImagePulls(at.engine, () => Promise.resolve(undefined));
  await pulls.ensure('reg/app:1', undefined, (line) => lines.push(line), never);
  expect(at.asked).toHaveLength(2);
  expect(lines).toContain(
    'dial tcp 10.0.0.1:5000: connect: connection refused; the registry may answer in a moment, trying again in 0.5 s',
  );
});

test('at most three images are pulled at once', async () => {
  const open: ServerResponse[] = [];
  let begun: () => void = nothing;
  const three = new Promise<void>((resolve) => (begun = resolve));
  await using server = await serveEngine((path, response) => {
    if (path.startsWith('/images/create')) {
      open.push(response);
      response.writeHead(200);
      if (open.length === 3) begun();
      return;
    }
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"message":"No such image"}');
  });
  const pulls = new ImagePulls(new Engine(server.socketPath), () => Promise.resolve(undefined));
  const told: string[] = [];
  const all = ['a', 'b', 'c', 'd'].map((image) =>
    pulls.ensure(image, undefined, (line) => told.push(`${image} ${line}`), never),
  );
  await three;
  expect(server.requests.filter((line) => line.startsWith('POST'))).toHaveLength(3);
  for (const response of open) response.end('{"status":"Downloaded newer image"}\n');
  await expect.poll(() => open.length).toBe(4);
  open[3]?.end('{"status":"Downloaded newer image"}\n');
  await Promise.all(all);
  // Whichever of them came last.
  expect(told.filter((line) => line.endsWith(' waiting for other pulls of this node'))).toHaveLength(1);
});
