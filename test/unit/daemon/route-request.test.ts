import fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sendJsonPieces } from '../../../daemon/route-request.js';

/** A list that is made while it is sent. */
interface Listing {
  made: number;
  readonly ended: Promise<void>;
}

let app: FastifyInstance;
let listings: Listing[];
beforeEach(async () => {
  app = fastify();
  listings = [];
  app.get('/pieces/:count', (request, reply) => {
    const { count } = request.params as { count: string }; // of the route
    let onEnd = (): void => undefined;
    const listing: Listing = { made: 0, ended: new Promise((resolve) => (onEnd = resolve)) };
    listings.push(listing);
    sendJsonPieces(reply, 200, pieces(listing, Number(count), onEnd));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

function* pieces(listing: Listing, count: number, onEnd: () => void): Generator<string> {
  try {
    for (; listing.made < count; listing.made += 1) yield 'x'.repeat(64 * 1024);
  } finally {
    onEnd();
  }
}

async function ask(count: number): Promise<Socket> {
  const { port } = app.server.address() as AddressInfo; // of a TCP server
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET /pieces/${count} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

const LONG = 100_000;

test('a client that hangs up in the middle of a long list ends its making', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => ask(LONG)));
  for (const client of clients) client.destroy();
  await Promise.all(listings.map(({ ended }) => ended));
  for (const { made } of listings) expect(made).toBeLessThan(LONG);
});

test('a client that does not read has the making wait, and others are served', async () => {
  const slow = await ask(LONG);
  const answer = await app.inject('/pieces/3');
  expect(answer.body).toHaveLength(3 * 64 * 1024 + 1);
  expect(listings[0]?.made).toBeLessThan(LONG);
  slow.destroy();
  await listings[0]?.ended;
});

test.each([0, 1, 2, 3])('%i pieces end with one line end', async (count) => {
  const { body, headers, statusCode } = await app.inject(`/pieces/${count}`);
  expect(statusCode).toBe(200);
  expect(body).toHaveLength(count * 64 * 1024 + 1);
  expect(body.indexOf('\n')).toBe(body.length - 1);
  expect(headers['content-type']).toBe('application/json');
});
