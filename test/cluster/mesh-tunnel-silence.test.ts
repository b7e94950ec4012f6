import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalLinks } from '../../agent/mesh/local-links.js';
import { Locals } from '../../agent/mesh/locals.js';
import { openPeerSession } from '../../agent/mesh/peer-session.js';
import { TunnelCredentials } from '../../agent/mesh/tunnel-credentials.js';
import { PROTOCOL_HEADER, PROTOCOL_HEADER_VALUE } from '../../agent/mesh/tunnel-protocol.js';
import { TunnelServer } from '../../agent/mesh/tunnel-server.js';
import { systemClock } from '../../core/clock.js';
import { IdentitySource } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import { TestCa } from '../support/identities.js';
import { loopback } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

/** ms; peers ping each 500. Longer than a busy machine stops a process. */
const SILENCE = 4_000;

let ca: TestCa;
let replica: Replica;
let server: TunnelServer;
let address: { readonly host: string; readonly port: number };

beforeEach(async () => {
  ca = await TestCa.create();
  replica = await Replica.tcp('task2', 'node2', (socket) => socket.pipe(socket));
  const locals = new Locals();
  locals.replace([replica.local]);
  server = new TunnelServer({
    identity: new IdentitySource(ca.identity('node2')),
    locals,
    localLinks: new LocalLinks({ locals, isDaemonHere: () => true, clock: systemClock }),
    isMember: () => true,
    logger: createLogger('silent'),
    silence: SILENCE,
  });
  const host = loopback();
  server.server.listen(0, host);
  await once(server.server, 'listening');
  address = { host, port: (server.server.address() as AddressInfo).port }; // It listens on TCP.
});

afterEach(async () => {
  server.destroy();
  server.server.close();
  await replica.stop();
});

describe('a session on which nothing is said', () => {
  test('lives on, with its tunnels, while its peer pings', async () => {
    const credentials = new TunnelCredentials(new IdentitySource(ca.identity('node1')));
    const target = { nodeId: 'node2', address, meshAddr: `${address.host}:${address.port}` };
    const session = await openPeerSession(target, credentials, 2_000);
    const tunnel = session.request({
      ':method': 'CONNECT',
      ':authority': 'task2:80',
      [PROTOCOL_HEADER]: PROTOCOL_HEADER_VALUE,
    });
    tunnel.on('error', () => undefined);
    await once(tunnel, 'response');
    // That something does not happen has no event: more than the time after which a silent peer is cut.
    await new Promise((resolve) => setTimeout(resolve, 1.25 * SILENCE));
    expect([session.destroyed, tunnel.destroyed]).toEqual([false, false]);
    tunnel.write('still there?');
    expect(String((await once(tunnel, 'data'))[0])).toBe('still there?');
    session.destroy();
  });

  test('is cut when its peer does not even ping', async () => {
    const session = silentSession();
    await once(session, 'connect');
    await once(session, 'close');
  });
});

/** A session of a member that is let in and then does nothing. */
function silentSession(): ClientHttp2Session {
  const { privateKey, certificate } = ca.identity('node1');
  const socket = connectTls({
    ...address,
    key: privateKey,
    cert: certificate,
    ca: ca.certificate,
    servername: 'node2',
    ALPNProtocols: ['h2'],
  });
  const session = connectHttp2('https://node2', { createConnection: () => socket });
  session.on('error', () => undefined);
  return session;
}
