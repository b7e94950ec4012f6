import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../../../../agent/executor/engine.js';
import { serveEngine } from '../../../support/scripted-engine.js';

const never = new AbortController().signal;
const info = (engine: Engine, seconds: number, signal = never): Promise<unknown> =>
  engine.call(seconds, signal, (docker) => docker.info() as Promise<unknown>);

describe('a call to the Engine', () => {
  const before = process.env.DOCKER_HOST;
  beforeEach(() => {
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:1';
  });
  afterEach(() => {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  });

  test('goes to the socket it was given, whatever DOCKER_HOST says', async () => {
    await using server = await serveEngine((_, response) => response.end('{"NCPU":2}'));
    expect(await info(new Engine(server.socketPath), 5)).toEqual({ NCPU: 2 });
  });

  test('is given up when the Engine accepts it and never answers', async () => {
    await using server = await serveEngine(() => undefined);
    await expect(info(new Engine(server.socketPath), 0.05)).rejects.toMatchObject({
      code: 'BALE_ENGINE_UNAVAILABLE',
      message: 'the Docker Engine does not answer: no answer within 0.05 s',
    });
  });

  test('ends with its signal', async () => {
    const abort = new AbortController();
    await using server = await serveEngine(() => {
      abort.abort();
    });
    await expect(info(new Engine(server.socketPath), 5, abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('ends with its signal also before it was sent, while the client is loaded', async () => {
    await using server = await serveEngine(() => undefined);
    const abort = new AbortController();
    const call = info(new Engine(server.socketPath), 0, abort.signal);
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('to a socket that is not there finds no Engine', async () => {
    await expect(info(new Engine('/nowhere/docker.sock'), 5)).rejects.toMatchObject({
      code: 'BALE_ENGINE_UNAVAILABLE',
    });
  });
});
