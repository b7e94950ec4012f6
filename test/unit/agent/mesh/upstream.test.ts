import { once } from 'node:events';
import { connect as connectHttp2, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { ByteStream } from '../../../../agent/mesh/byte-stream.js';
import { Upstream } from '../../../../agent/mesh/upstream.js';

/** A connection to an endpoint, and what the endpoint writes to. */
interface Pair {
  readonly stream: ByteStream;
  readonly endpoint: Writable;
  close(): void;
}

async function listen(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('no port');
  return at.port;
}

async function connection(): Promise<Pair> {
  const server = createServer();
  const arrived = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const stream = connect(await listen(server), '127.0.0.1');
  const endpoint = await arrived;
  const close = (): void => {
    stream.destroy();
    endpoint.destroy();
    server.close();
  };
  return { stream, endpoint, close };
}

async function tunnel(): Promise<Pair> {
  const server = createHttp2Server();
  const arrived = new Promise<ServerHttp2Stream>((resolve) => server.once('stream', resolve));
  const session = connectHttp2(`http://127.0.0.1:${await listen(server)}`);
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'task1:80' });
  const endpoint = await arrived;
  endpoint.respond({ ':status': 200 });
  await once(stream, 'response');
  const close = (): void => {
    session.destroy();
    server.close();
  };
  return { stream, endpoint, close };
}

test.each([
  ['connection', connection],
  ['tunnel', tunnel],
])('a %s is used again, but not once the endpoint has spoken unasked', async (_what, open) => {
  const { stream, endpoint, close } = await open();
  const at = { taskId: 'task1', nodeId: 'node1', targetPort: 80, state: 'active' } as const;
  const upstream = new Upstream(at, stream, () => undefined);
  upstream.park();
  expect(upstream.take()).toBe(true);
  upstream.park();
  const heard = once(stream, 'data');
  endpoint.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  await heard;
  expect(upstream.take()).toBe(false);
  close();
});
