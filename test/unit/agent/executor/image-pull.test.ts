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
    pulls: new ImagePulls(new Engine(server.socketPath)),
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
  return { joined, done: pulls.ensure('app:1', tell, signal) };
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
