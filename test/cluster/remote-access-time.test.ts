import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCsr, newPrivateKey } from '../../core/x509.js';
import type { Logger } from '../../core/logger.js';
import { RemoteAccess } from '../../daemon/remote-access.js';
import { ClientAuthority } from '../../manager/ca/client-authority.js';
import { newDataKey, Vault } from '../../manager/secrets/vault.js';
import { freePort } from '../support/free-port.js';
import { eventually } from '../support/eventually.js';
import { FakeClock } from '../support/fake-clock.js';
import { type ClientFiles, RemoteClient } from '../support/remote-client.js';
import { readUntil } from '../support/socket-client.js';
import { openTestApi } from '../support/test-api.js';

/** What time does to the port of `--host`: TLS looks at the machine's clock, the cluster at its own. */
const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** As often the port looks at what time has changed, ms. */
const SWEEP = 30_000;

let port = 0;
let clock: FakeClock;
let clients: ClientAuthority;
let access: RemoteAccess;
let server: Server;
let logged: { readonly level: string; readonly about: object; readonly message: string }[];

beforeEach(async () => {
  logged = [];
  port = await freePort();
  server = createServer((request, response) => {
    if (request.url === '/stream') response.write('begun');
    else response.end('served');
  });
});
afterEach(async () => {
  const closing = access.close();
  await clock.advance(1_000);
  await closing;
  server.closeAllConnections();
});

/** What the parts of a daemon log: an object and a sentence. */
const record =
  (level: string) =>
  (about: object | string, message?: string): void => {
    if (typeof about === 'object') logged.push({ level, about, message: message ?? '' });
  };
const recorder: Logger = {
  debug: () => undefined,
  info: record('info'),
  warn: record('warn'),
  error: record('error'),
  child: () => recorder,
};

/** The port, opened at that time by the cluster's clock. */
async function openAt(now: number): Promise<void> {
  clock = new FakeClock(now);
  const { store } = await openTestApi(new Set(), clock);
  clients = new ClientAuthority({ store, vault: new Vault(newDataKey()), clock, logger: recorder });
  access = new RemoteAccess({
    hosts: [{ host: '127.0.0.1', port }],
    names: [],
    clients,
    serve: (socket) => void server.emit('connection', socket),
    clock,
    logger: recorder,
  });
  await access.start();
}

async function make(name: string, lifetime: number): Promise<Required<ClientFiles>> {
  const key = newPrivateKey();
  const body = { name, role: 'viewer', csr: createCsr(key), expiry: lifetime * 1e6 };
  const { certificate, ca } = await clients.create(body);
  return { ca, cert: certificate, key };
}

const ask = async (socket: TLSSocket, path = '/'): Promise<void> => {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await readUntil(socket, path === '/stream' ? 'begun' : 'served');
};

test('a certificate that expires is refused with the reason, in the log too, and what it has open is cut', async () => {
  await openAt(Date.now());
  const files = await make('alice', HOUR);
  const open = await new RemoteClient(port, files).connect();
  await ask(open);
  open.on('error', () => undefined);
  const cut = once(open.resume(), 'end');

  clock.jump(HOUR);
  const { status, text } = await new RemoteClient(port, files).ask('GET /');
  expect(status).toBe(401);
  expect(text).toMatch(/the client certificate alice expired at [-\d]+T.*; ask an admin for a new one/);
  expect(logged).toContainEqual({
    level: 'warn',
    message: 'a client was refused',
    about: {
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      code: 'BALE_CLIENT_CERTIFICATE_EXPIRED',
      err: expect.stringMatching(/^the client certificate alice expired at /) as string,
    },
  });

  await clock.advance(SWEEP);
  await cut;
  expect(logged).toContainEqual({
    level: 'info',
    message: 'connections of a client are cut',
    about: { code: 'BALE_CLIENT_CERTIFICATE_EXPIRED', connections: 1, err: expect.stringContaining('alice') as string },
  });
});

test('one that has expired by the clock of TLS is refused likewise', async () => {
  await openAt(Date.now() - 2 * HOUR);
  const files = await make('bob', HOUR);
  const { status, text } = await new RemoteClient(port, files).ask('GET /');
  expect(status).toBe(401);
  expect(text).toMatch(/the client certificate expired on .*; ask an admin for a new one/);
  const warnings = logged.filter(({ level }) => level === 'warn');
  expect(warnings).toMatchObject([
    { about: { err: expect.stringMatching(/^the client certificate expired on /) as string } },
  ]);
});

test('the certificate of the server is renewed under open connections, which go on', async () => {
  await openAt(Date.now() - 16 * DAY);
  const client = new RemoteClient(port, await make('carol', 300 * DAY));
  const [idle, stream] = [await client.connect(), await client.connect()];
  await Promise.all([ask(idle), ask(stream, '/stream')]);
  const shown = (socket: TLSSocket): string => socket.getPeerX509Certificate()?.fingerprint256 ?? '';
  const first = shown(idle);

  clock.jump(15 * DAY);
  await clock.advance(SWEEP);
  const fresh = await eventually('the new certificate', async () => {
    const socket = await client.connect();
    if (shown(socket) !== first) return socket;
    socket.destroy();
    return undefined;
  });
  expect(fresh.authorized).toBe(true);
  await Promise.all([ask(fresh), ask(idle)]);
  expect([idle, stream].map(({ destroyed, readableEnded }) => destroyed || readableEnded)).toEqual([false, false]);
  for (const socket of [idle, stream, fresh]) socket.destroy();
});
