import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DaemonOnEngine, daemonOnEngine } from '../support/daemon-on-engine.js';
import { answerOf, readAll, readAnswer } from '../support/socket-client.js';

let house: DaemonOnEngine;
beforeEach(async () => {
  house = await daemonOnEngine();
});
afterEach(() => house.end());

/** Resolves with the next request the Engine gets, not yet answered. */
const engineGets = (): Promise<{ request: IncomingMessage; response: ServerResponse }> =>
  new Promise((resolve) => {
    house.engine.behave = (request, response) => {
      resolve({ request, response });
    };
  });

describe('a request for the Engine', () => {
  test('arrives as it was sent, and so does the answer', async () => {
    const arrived = engineGets();
    const call = house.client.open('/v1.41/containers/create?name=a%20b&x=1&x=2', {
      method: 'POST',
      headers: ['Host', 'api.moby.localhost', 'X-ODD-case', 'one', 'X-ODD-case', 'two', 'Content-Length', '4'],
    });
    call.end('body');
    const { request, response } = await arrived;
    expect(request.url).toBe('/v1.41/containers/create?name=a%20b&x=1&x=2');
    expect(request.method).toBe('POST');
    const sent = request.rawHeaders.slice(0, 8);
    expect(sent).toEqual([
      'Host',
      'api.moby.localhost',
      'X-ODD-case',
      'one',
      'X-ODD-case',
      'two',
      'Content-Length',
      '4',
    ]);
    expect((await readAll(request)).toString()).toBe('body');
    response.setHeader('X-Some-ODD', ['a', 'b']);
    response.writeHead(418, 'Odd', { 'Content-Type': 'text/odd' });
    response.end('answer');
    const answer = await answerOf(call);
    expect(answer.statusMessage).toBe('Odd');
    expect(answer.rawHeaders.filter((_, index, all) => all[index - (index % 2)] === 'X-Some-ODD')).toEqual([
      ...['X-Some-ODD', 'a', 'X-Some-ODD', 'b'],
    ]);
    expect(await readAnswer(answer)).toMatchObject({ status: 418, text: 'answer' });
  });

  test('without a body arrives without one', async () => {
    const arrived = engineGets();
    const answered = house.client.ask('/containers/x/stop', { method: 'POST' });
    const { request, response } = await arrived;
    expect(request.headers['transfer-encoding']).toBeUndefined();
    expect((await readAll(request)).length).toBe(0);
    response.writeHead(204).end();
    expect(await answered).toMatchObject({ status: 204, text: '' });
  });

  test('may have a URL of hundreds of kilobytes', async () => {
    const arrived = engineGets();
    const url = `/containers/create?TaskTemplate=${'x'.repeat(300_000)}`;
    const answered = house.client.ask(url, { method: 'POST' });
    const { request, response } = await arrived;
    expect(request.url).toBe(url);
    response.end('ok');
    expect((await answered).status).toBe(200);
  });

  test('streams its body: the Engine has the first part before the last is sent', async () => {
    const arrived = engineGets();
    const call = house.client.open('/build', { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } });
    call.write('first');
    const { request, response } = await arrived;
    const [first] = (await once(request, 'data')) as [Buffer];
    expect(first.toString()).toBe('first');
    call.end('last');
    const rest = await readAll(request);
    expect(rest.toString()).toBe('last');
    response.end('built');
    expect((await readAnswer(await answerOf(call))).text).toBe('built');
  });

  test('gets the head of its answer at once and the body as it comes', async () => {
    const arrived = engineGets();
    const call = house.client.open('/containers/x/wait', { method: 'POST' });
    call.end();
    const { response } = await arrived;
    response.flushHeaders();
    const answer = await answerOf(call);
    expect(answer.statusCode).toBe(200);
    response.write('{"one":1}\n');
    const [chunk] = (await once(answer, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('{"one":1}\n');
    response.end('{"two":2}\n');
    expect((await readAll(answer)).toString()).toBe('{"two":2}\n');
  });

  test('brings large bodies both ways, unharmed', async () => {
    house.engine.behave = (request, response) => {
      request.pipe(response);
    };
    const body = randomBytes(16 * 1024 * 1024);
    const call = house.client.open('/images/load', { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } });
    const echoed = answerOf(call).then(readAll);
    call.end(body);
    expect((await echoed).equals(body)).toBe(true);
  });

  test('is not read faster than its reader reads', async () => {
    const arrived = engineGets();
    const call = house.client.open('/containers/x/archive');
    call.end();
    const { response } = await arrived;
    const piece = Buffer.alloc(64 * 1024);
    let written = 0;
    const stalled = new Promise<void>((resolve) => {
      const write = (): void => {
        while (response.write(piece)) written += piece.length;
        // No drain within a second: everything between the Engine and the reader is full.
        const timer = setTimeout(resolve, 1_000);
        response.once('drain', () => {
          clearTimeout(timer);
          write();
        });
      };
      write();
    });
    const answer = await answerOf(call);
    await stalled;
    expect(written).toBeLessThan(8 * 1024 * 1024);
    answer.destroy();
  });

  test('with "Expect: 100-continue" sends its body when the Engine says so', async () => {
    const arrived = engineGets();
    const call = house.client.open('/images/load', {
      method: 'POST',
      headers: { Expect: '100-continue', 'Content-Length': '4' },
    });
    const continued = once(call, 'continue');
    call.flushHeaders();
    const { request, response } = await arrived;
    expect(request.headers.expect).toBe('100-continue');
    response.writeContinue();
    await continued;
    call.end('body');
    expect((await readAll(request)).toString()).toBe('body');
    response.end('ok');
    expect((await answerOf(call)).statusCode).toBe(200);
  });

  test('keeps trailers of both bodies', async () => {
    const arrived = engineGets();
    const call = house.client.open('/build', {
      method: 'POST',
      headers: { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' },
    });
    call.write('data');
    call.addTrailers({ 'X-Sum': 'up' });
    call.end();
    const { request, response } = await arrived;
    await readAll(request);
    expect(request.trailers).toEqual({ 'x-sum': 'up' });
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('data');
    response.addTrailers({ 'X-Sum': 'down' });
    response.end();
    const answer = await answerOf(call);
    await readAll(answer);
    expect(answer.trailers).toEqual({ 'x-sum': 'down' });
  });

  test('ends at the Engine when the client goes away', async () => {
    const arrived = engineGets();
    const call = house.client.open('/events');
    call.on('error', () => undefined);
    call.end();
    const { response } = await arrived;
    response.write('{}\n');
    await answerOf(call);
    const gone = once(response, 'close');
    call.destroy();
    await gone;
    expect(response.writableFinished).toBe(false);
  });

  test('ends at the Engine when the client goes away in the middle of its body', async () => {
    const arrived = engineGets();
    const call = house.client.open('/build', { method: 'POST', headers: { 'Content-Length': '1000' } });
    call.on('error', () => undefined);
    call.write('part');
    const { request } = await arrived;
    const broken = new Promise((resolve) => request.on('error', resolve));
    request.resume();
    call.destroy();
    await broken;
    expect(request.complete).toBe(false);
  });

  test('breaks for the client when the Engine breaks off, and never looks complete', async () => {
    const arrived = engineGets();
    const call = house.client.open('/containers/x/logs');
    call.end();
    const { response } = await arrived;
    response.write('part');
    const answer = await answerOf(call);
    response.destroy();
    await expect(readAll(answer)).rejects.toThrow();
  });

  test('answered early, in the middle of its body, gets that answer', async () => {
    house.engine.behave = (_request, response) => {
      response.writeHead(400, { Connection: 'close' });
      response.end('no such thing');
    };
    const call = house.client.open('/build', { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } });
    call.on('error', () => undefined);
    call.write(Buffer.alloc(1_000));
    expect(await readAnswer(await answerOf(call))).toMatchObject({ status: 400, text: 'no such thing' });
    call.destroy();
  });

  test('without framing in its answer ends with the connection, as the Engine ended it', async () => {
    house.engine.behave = (request) => {
      request.socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nraw bytes');
    };
    const socket = await house.client.connect();
    socket.write('POST /containers/x/attach HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    const text = (await readAll(socket)).toString();
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text).toMatch(/\r\n\r\nraw bytes$/);
    socket.destroy();
  });

  test('is one of many at a time', async () => {
    house.engine.behave = (request, response) => {
      setImmediate(() => response.end(request.url));
    };
    const urls = Array.from({ length: 300 }, (_, index) => `/containers/${index}/json`);
    const answers = await Promise.all(urls.map((url) => house.client.ask(url)));
    expect(answers.map(({ text }) => text)).toEqual(urls);
  });
});

describe('an Engine that is down', () => {
  test('is named, with the cause, and found again when it is back', async () => {
    await house.engine.stop();
    const answer = await house.client.ask('/containers/json');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toEqual({
      message: `cannot reach the Docker Engine at unix://${house.engine.socketPath}: connect ENOENT; is it running?`,
    });
    const upload = await house.client.ask('/build', { method: 'POST', body: Buffer.alloc(1_000_000) });
    expect(upload.status).toBe(503);
    expect((await house.client.ask('/info')).status).toBe(503);
    await house.engine.start();
    house.engine.behave = (_request, response) => {
      response.end('[]');
    };
    expect((await house.client.ask('/containers/json')).text).toBe('[]');
  });
});
