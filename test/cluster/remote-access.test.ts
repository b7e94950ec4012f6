import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClientRole } from '../../proto/client-certificate.js';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';
import { freePort } from '../support/free-port.js';
import { eventually } from '../support/eventually.js';
import { TestCa } from '../support/identities.js';
import { type ClientFiles, makeClient, RemoteClient } from '../support/remote-client.js';
import { serviceBody } from '../support/service-body.js';
import { readAll, readUntil } from '../support/socket-client.js';

let api: DaemonApi;
let port = 0;
const files: Record<string, Required<ClientFiles>> = {};
const as = (name: string): RemoteClient => new RemoteClient(port, files[name] ?? { ca: '' });
beforeAll(async () => {
  port = await freePort();
  api = await DaemonApi.start(['--host', `tcp://127.0.0.1:${port}`, '--tls-san', 'm.example']);
  for (const role of ['viewer', 'operator', 'admin'] as const) files[role] = await makeClient(api, role, role);
  await eventually('the port', async () => (await as('viewer').ask('GET /_ping')).status === 200 || undefined);
});
afterAll(() => api.end());

/** Containers of the Engine: one of a task, one that is somebody's own. */
const LABELS: Readonly<Record<string, Record<string, string>>> = {
  task1: { 'com.docker.swarm.node.id': 'n' },
  private1: {},
};
const EXECS: Readonly<Record<string, string>> = { exectask: 'task1', execprivate: 'private1' };
/** What reached the Engine, beside its questions about containers. */
let reached: string[] = [];
beforeEach(() => {
  reached = [];
  api.cluster.engine.behave = (request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').split('?')[0] ?? '';
    const [, noun, id = '', verb] = path.split('/');
    const labels = LABELS[id];
    const container = EXECS[id];
    const answer = (status: number, document: unknown): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(document));
    };
    if (noun === 'containers' && verb === 'json') {
      answer(
        labels === undefined ? 404 : 200,
        labels === undefined ? { message: 'no' } : { Config: { Labels: labels } },
      );
    } else if (noun === 'exec' && verb === 'json') {
      answer(container === undefined ? 404 : 200, container === undefined ? {} : { ContainerID: container });
    } else {
      reached.push(`${request.method ?? ''} ${path}`);
      request.resume();
      request.on('end', () => {
        answer(200, {});
      });
    }
  };
});

describe('who is let in', () => {
  test('nobody without TLS', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
    expect(socket.bytesRead).toBe(0);
  });

  test('nobody without a certificate', async () => {
    const answer = await new RemoteClient(port, { ca: files.admin?.ca ?? '' }).ask('GET /_ping');
    expect(refusalOf(answer)).toMatchObject({
      status: 401,
      message: expect.stringMatching(/with a client certificate only/) as string,
    });
  });

  test('no node of the cluster, and no certificate of another CA', async () => {
    const stranger = (await TestCa.create()).identity('n1', 'manager');
    const { ca = '' } = files.admin ?? {};
    for (const TLS of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = new RemoteClient(port, { ca, cert: stranger.certificate, key: stranger.privateKey });
      const call = client.open('/_ping', { minVersion: TLS, maxVersion: TLS });
      call.end();
      const [answer] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }]; // as node:http emits it
      answer.resume();
      expect(answer.statusCode).toBe(401);
    }
  });

  test('no client on the cluster port', async () => {
    const { admin } = files;
    const clusterPort = Number(api.manager.listenAddr.split(':')[1]);
    const socket = await new RemoteClient(clusterPort, admin ?? { ca: '' }).connect({
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    // Taken for a stranger: its certificate is none of the root of the nodes.
    expect(socket.authorized).toBe(false);
    socket.destroy();
  });

  test('clients of TLS 1.2 and 1.3, and no older ones', async () => {
    for (const TLS of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await as('viewer').connect({ minVersion: TLS, maxVersion: TLS });
      expect(socket.getProtocol()).toBe(TLS);
      socket.destroy();
    }
    await expect(
      as('viewer').connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    ).rejects.toThrow();
  });

  test('by the address and the names that the daemon was given', async () => {
    const socket = await as('viewer').connect({ servername: 'm.example' });
    expect(socket.authorized).toBe(true);
    expect(socket.getPeerX509Certificate()?.checkIP('127.0.0.1')).toBe('127.0.0.1');
    socket.destroy();
  });

  test('not when it was revoked: at once, with all that is open', async () => {
    files.carol = await makeClient(api, 'carol', 'admin');
    const idle = await as('carol').connect();
    idle.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    await readUntil(idle, 'OK');
    api.cluster.engine.upgrade = (_request, socket) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello');
    };
    const stream = await as('carol').connect();
    stream.write(
      'POST /containers/task1/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n',
    );
    await readUntil(stream, 'hello');
    for (const socket of [idle, stream]) socket.on('error', () => undefined).resume();
    const cut = Promise.all([once(idle, 'end'), once(stream, 'end')]);
    const { status } = await as('admin').ask('DELETE /bale/client-certificates/carol');
    expect(status).toBe(200);
    await cut;
    expect(refusalOf(await as('carol').ask('GET /_ping'))).toMatchObject({
      status: 401,
      message: expect.stringMatching(/^the client certificate carol was revoked; ask an admin/) as string,
    });
  });
});

describe('what each role may', () => {
  const ROLES: readonly ClientRole[] = ['viewer', 'operator', 'admin'];
  const statuses = async (request: string, body?: Record<string, unknown>): Promise<number[]> => {
    const found: number[] = [];
    for (const role of ROLES) found.push((await as(role).ask(request, body === undefined ? {} : { body })).status);
    return found;
  };

  test.each<[string, readonly number[]]>([
    ['GET /_ping', [200, 200, 200]],
    ['GET /v1.41/info', [200, 200, 200]],
    ['GET /services', [200, 200, 200]],
    ['GET /nodes', [200, 200, 200]],
    ['GET /containers/task1/json', [200, 200, 200]],
    ['GET /containers/private1/json', [403, 403, 200]],
    ['GET /containers/private1/logs?stdout=1', [403, 403, 200]],
    ['GET /containers/task1/archive?path=/', [403, 200, 200]],
    ['POST /services/none/update?version=1', [403, 400, 400]],
    ['DELETE /services/none', [403, 404, 404]],
    ['POST /bale/nodes/none/drain', [403, 404, 404]],
    ['DELETE /nodes/none', [403, 403, 404]],
    ['GET /swarm/unlockkey', [403, 403, 200]],
    ['GET /bale/client-certificates', [403, 403, 200]],
    ['DELETE /bale/client-certificates/none', [403, 403, 404]],
    ['POST /containers/create', [403, 403, 200]],
    ['POST /v1.41/containers/private1/start', [403, 403, 200]],
    ['POST /containers/private1/kill', [403, 403, 200]],
    ['GET /containers/task1/export', [403, 403, 200]],
    ['GET /exec/execprivate/json', [403, 403, 200]],
    ['GET /exec/exectask/json', [403, 200, 200]],
  ])('%s: %o', async (request, expected) => {
    expect(await statuses(request)).toEqual(expected);
  });

  test('join tokens are shown to admins alone', async () => {
    for (const role of ROLES) {
      const { text } = await as(role).ask('GET /swarm');
      expect('JoinTokens' in (JSON.parse(text) as object)).toBe(role === 'admin');
      expect((await as(role).ask('GET /info')).text).not.toContain('SWMTKN');
    }
  });

  test('an operator makes services; a viewer sees them and is told who may', async () => {
    const body = serviceBody({ Name: 'remote' });
    expect(refusalOf(await as('viewer').ask('POST /services/create', { body }))).toEqual({
      status: 403,
      message: expect.stringMatching(/role viewer .*POST \/services\/create.* operator or admin/) as string,
    });
    expect((await as('operator').ask('POST /services/create', { body })).status).toBe(201);
    expect((await as('viewer').ask('GET /services/remote')).status).toBe(200);
  });

  test('an operator drains a node and changes no role', async () => {
    const [node] = await api.nodes();
    const update = (spec: object) =>
      as('operator').ask(`POST /nodes/${node?.ID ?? ''}/update?version=${node?.Version.Index ?? 0}`, {
        body: { ...spec },
      });
    for (const spec of [
      { ...node?.Spec, Role: 'worker' },
      { Availability: 'active' },
      { ...node?.Spec, rOLE: 'worker' },
    ]) {
      expect((await update(spec)).status).toBe(403);
    }
    expect((await update({ ...node?.Spec, Availability: 'active' })).status).toBe(200);
  });

  test('an operator starts no privileged exec, however it is asked for', async () => {
    const exec = (body: string, extra: Record<string, string> = {}) =>
      as('operator').ask('POST /containers/task1/exec', {
        body,
        headers: { 'Content-Type': 'application/json', ...extra },
      });
    expect((await exec('{"Cmd":["sh"]}')).status).toBe(200);
    expect((await exec('{"Cmd":["sh"],"Privileged":false}')).status).toBe(200);
    reached = [];
    expect((await exec('{"Cmd":["sh"],"Privileged":true}')).status).toBe(403);
    expect((await exec('{"pRiViLeGeD":true}')).status).toBe(403);
    expect((await exec('{"Privileged":true} x')).status).toBe(400);
    expect((await exec('{"Privileged":true}', { Connection: 'Upgrade', Upgrade: 'tcp' })).status).toBe(403);
    expect((await as('admin').ask('POST /containers/task1/exec', { body: { Privileged: true } })).status).toBe(200);
    expect(reached).toEqual(['POST /containers/task1/exec']);
  });
});

describe('an exec over TLS', () => {
  const START =
    'POST /exec/exectask/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n' +
    'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
  const SWITCH = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
  const engineGetsUpgrade = (): Promise<{ socket: Duplex; head: Buffer; body: string }> =>
    new Promise((resolve) => {
      api.cluster.engine.upgrade = ({ headers }, socket, head) => {
        resolve({ socket, head, body: headers['content-length'] ?? '' });
      };
    });

  test.each(['operator', 'admin'])('of role %s is one pipe whose directions end by themselves', async (role) => {
    const arrived = engineGetsUpgrade();
    const client = await as(role).connect();
    client.write(START);
    const { socket } = await arrived;
    socket.write(SWITCH);
    await readUntil(client, '\r\n\r\n');
    client.end('all of the input');
    expect((await readAll(socket)).toString()).toContain('all of the input');
    socket.end('all of the output');
    expect((await readAll(client)).toString()).toBe('all of the output');
  });

  test('brings nothing behind its body to an Engine that declines it', async () => {
    const arrived = engineGetsUpgrade();
    const client = await as('operator').connect();
    client.write(`${START}POST /containers/create?name=evil HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
    const { socket, head } = await arrived;
    let got = head.toString();
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
    const ended = once(socket, 'close');
    socket.write('HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno');
    expect((await readAll(client)).toString()).toMatch(/^HTTP\/1.1 409 /);
    client.destroy();
    socket.destroy();
    await ended;
    expect(got).not.toContain('evil');
    expect(reached).toEqual([]);
  });

  test('of a viewer, or in a container of nobody in the cluster, is refused', async () => {
    for (const [role, target] of [
      ['viewer', 'exectask'],
      ['operator', 'execprivate'],
    ] as const) {
      const client = await as(role).connect();
      client.write(START.replace('exectask', target));
      expect((await readAll(client)).toString()).toMatch(/^HTTP\/1.1 403 /);
      client.destroy();
    }
  });
});

describe('the port', () => {
  test('keeps its clients and their list over a restart of the daemon', async () => {
    await api.manager.stop();
    await api.manager.start();
    await eventually('the port', async () => (await as('viewer').ask('GET /_ping')).status === 200 || undefined);
    expect(refusalOf(await as('carol').ask('GET /_ping')).status).toBe(401);
  });

  test('is closed on a node that is no manager, and when a cluster ends', async () => {
    const other = await freePort();
    const idle = await api.cluster.node('idle', '127.0.0.1', ['--host', `tcp://127.0.0.1:${other}`]);
    const refused = (at: number): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(at, '127.0.0.1');
        socket.once('error', ({ message }) => {
          resolve(message);
        });
        socket.once('connect', () => {
          socket.destroy();
          resolve('open');
        });
      });
    expect(await refused(other)).toContain('ECONNREFUSED');
    const body = { ListenAddr: idle.listenAddr, AdvertiseAddr: '127.0.0.1' };
    expect((await idle.client.ask('/swarm/init', { method: 'POST', body })).status).toBe(200);
    expect(await refused(other)).toBe('open');
    // Of another cluster: its CA is another.
    await expect(new RemoteClient(other, files.admin ?? { ca: '' }).ask('GET /_ping')).rejects.toThrow(/certificate/);
    expect((await idle.client.ask('/swarm/leave?force=1', { method: 'POST' })).status).toBe(200);
    expect(await refused(other)).toContain('ECONNREFUSED');
  });
});
