import { mkdtemp, rm } from 'node:fs/promises';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiClient } from '../../../cli/client.js';
import { EngineServer } from '../../support/engine-server.js';

let directory: string;
let daemon: EngineServer;
let client: ApiClient;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-client-'));
  daemon = new EngineServer(join(directory, 'daemon.sock'));
  await daemon.start();
  client = new ApiClient(`unix://${daemon.socketPath}`, () => {
    throw new Error('a socket needs no certificates');
  });
});

afterEach(async () => {
  await daemon.stop();
  await rm(directory, { recursive: true, force: true });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Answers 200 with what the request was. */
function echo(): void {
  daemon.behave = (request, response) => {
    const { method, url, headers } = request;
    void bodyOf(request).then((body) => {
      response.end(
        JSON.stringify({ method, url, type: headers['content-type'], length: headers['content-length'], body }),
      );
    });
  };
}

function answer(status: number, text: string): void {
  daemon.behave = (_request, response) => {
    response.writeHead(status);
    response.end(text);
  };
  daemon.upgrade = (_request, socket) => {
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  };
}

describe('a request', () => {
  test('carries its query, without what is not given', async () => {
    echo();
    const query = { filters: '{"name":{"a b&c":true}}', status: true, limit: 3, since: undefined };
    const { url } = await client.get<{ url: string }>('/services', query);
    expect(url).toBe('/services?filters=%7B%22name%22%3A%7B%22a+b%26c%22%3Atrue%7D%7D&status=true&limit=3');
    expect(await client.get('/services')).toMatchObject({ url: '/services' });
  });

  test('sends a document as JSON, and nothing when there is none', async () => {
    echo();
    expect(await client.post('/services/create', { Name: 'grüße' }, {}, { headers: { 'X-A': 'b' } })).toEqual({
      ...{ method: 'POST', url: '/services/create', type: 'application/json', length: '18' },
      body: '{"Name":"grüße"}',
    });
    expect(await client.post('/swarm/leave')).toEqual({ method: 'POST', url: '/swarm/leave', length: '0', body: '' });
  });

  test('sends an archive as it is made', async () => {
    const seen: unknown[] = [];
    daemon.behave = (request, response) => {
      void bodyOf(request).then((body) => {
        seen.push(request.method, request.headers['content-type'], request.headers['transfer-encoding'], body);
        response.end();
      });
    };
    await client.upload('/containers/a/archive', { path: '/x' }, Readable.from(['one', 'two']));
    expect(seen).toEqual(['PUT', 'application/tar', 'chunked', 'onetwo']);
  });

  test('ends when it is called off, before the answer and within it', async () => {
    const before = new AbortController();
    daemon.behave = () => {
      before.abort();
    };
    await expect(client.get('/services', {}, { signal: before.signal })).rejects.toMatchObject({
      code: 'BALE_DAEMON_ERROR',
    });
    const within = new AbortController();
    daemon.behave = (_request, response) => {
      response.write('[');
    };
    const stream = await client.open('GET', '/events', {}, { signal: within.signal });
    within.abort();
    await expect(bodyOf(stream)).rejects.toThrow();
  });
});

describe('an answer', () => {
  test('is read as JSON, also in pieces that part a letter', async () => {
    const bytes = Buffer.from('["grüße"]');
    daemon.behave = (_request, response) => {
      response.write(bytes.subarray(0, 5));
      setImmediate(() => response.end(bytes.subarray(5)));
    };
    expect(await client.get('/nodes')).toEqual(['grüße']);
  });

  test.each([
    [404, '{"message":"service web not found"}', 'service web not found', 'not-found'],
    [
      500,
      '{"message":"rpc error: code = Unknown desc = update out of sequence"}',
      'update out of sequence',
      'internal',
    ],
    [503, 'no manager\n', 'no manager\n', 'unavailable'],
    [400, '', '', 'invalid'],
  ])('of status %i is an error in its words: %s', async (status, text, words, kind) => {
    answer(status, text);
    const expected = { message: `Error response from daemon: ${words}`, kind, code: 'BALE_DAEMON_ERROR' };
    await expect(client.get('/services/web')).rejects.toMatchObject(expected);
    await expect(client.stream('/services/web/logs')).rejects.toMatchObject(expected);
    await expect(client.delete('/services/web')).rejects.toMatchObject(expected);
    await expect(client.hijack('/containers/web/attach')).rejects.toMatchObject(expected);
  });

  test('that breaks off is an error', async () => {
    daemon.behave = (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('[{"ID":');
      setImmediate(() => response.destroy());
    };
    await expect(client.get('/services')).rejects.toMatchObject({
      code: 'BALE_DAEMON_BROKE_OFF',
      kind: 'unavailable',
    });
  });

  test('that keeps to HTTP where the connection was asked for is an error', async () => {
    answer(200, '');
    await expect(client.hijack('/containers/web/attach')).rejects.toThrow('it did not hand the connection over');
  });
});

describe('a connection that is handed over', () => {
  test('carries bytes both ways, the first of them with the answer', async () => {
    daemon.upgrade = (request, socket, head) => {
      expect(request.headers.upgrade).toBe('tcp');
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst ');
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    };
    const connection = await client.hijack('/exec/1/start', {}, { Tty: true });
    connection.end('second');
    let text = '';
    for await (const chunk of connection) text += String(chunk);
    // The document is part of the stream to a server that has changed protocols.
    expect(text).toMatch(/^first .*second$/s);
  });
});

test('a daemon that is not there is named', async () => {
  await daemon.stop();
  await expect(client.get('/services')).rejects.toMatchObject({
    message: `Cannot connect to the bale daemon at unix://${daemon.socketPath}. Is the bale daemon running?`,
    code: 'BALE_DAEMON_UNREACHABLE',
  });
});
