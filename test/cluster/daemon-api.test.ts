import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DaemonOnEngine, daemonOnEngine } from '../support/daemon-on-engine.js';
import { NO_SWARM_RULES } from '../support/rules/no-swarm-rules.js';
import { Scene } from '../support/rules/scene.js';
import { readAll } from '../support/socket-client.js';

describe('on a node that is in no cluster', () => {
  let house: DaemonOnEngine;
  beforeAll(async () => {
    house = await daemonOnEngine();
  });
  afterAll(() => house.end());

  test.each(['/_ping', '/v1.41/_ping'])('GET %s looks like an Engine', async (path) => {
    const { status, headers, text } = await house.client.ask(path);
    expect({ status, text }).toEqual({ status: 200, text: 'OK' });
    expect(headers).toMatchObject({
      'api-version': '1.41',
      'cache-control': 'no-cache, no-store, must-revalidate',
      'content-length': '2',
      'content-type': 'text/plain; charset=utf-8',
      'docker-experimental': 'false',
      ostype: 'linux',
      pragma: 'no-cache',
      server: 'Docker/20.10.24 (linux)',
      swarm: 'inactive',
    });
  });

  test('HEAD /_ping has no body', async () => {
    const { status, headers, text } = await house.client.ask('/_ping', { method: 'HEAD' });
    expect({ status, text, length: headers['content-length'] }).toEqual({ status: 200, text: '', length: '0' });
  });

  test("GET /version is the Engine's, with bale among its components", async () => {
    expect(await house.client.document('/version')).toMatchObject({
      Version: '20.10.24',
      Components: [{ Name: 'bale', Version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string }],
    });
  });

  test("GET /info is the Engine's, with our Swarm section", async () => {
    const { headers, text } = await house.client.ask('/v1.41/info');
    expect(headers).toMatchObject({ 'content-type': 'application/json', server: 'Docker/20.10.24 (linux)' });
    expect(JSON.parse(text)).toEqual({
      ID: 'ENGINE',
      NCPU: 2,
      Swarm: {
        NodeID: '',
        NodeAddr: '',
        LocalNodeState: 'inactive',
        ControlAvailable: false,
        Error: '',
        RemoteManagers: null,
      },
    });
  });

  const NO_MANAGER =
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

  test.each(NO_SWARM_RULES.map((rule) => [rule.rule, rule] as const))('%s', async (_name, rule) => {
    const headers = { 'Content-Type': 'application/json' };
    const scene = Scene.bare((method, path, body) =>
      house.client.ask(path, { method, ...(body === undefined ? {} : { headers, body }) }),
    );
    expect(await scene.attempt(rule)).toEqual(rule.engine);
  });

  test.each([
    ['GET', '/v1.41/nodes', 503, NO_MANAGER],
    ['GET', '/services?filters=rubbish', 503, NO_MANAGER],
    ['POST', '/services/create', 503, NO_MANAGER],
    ['GET', '/swarm/nothing', 404, 'page not found'],
    ['PUT', '/nodes', 404, 'page not found'],
    ['PROPFIND', '/services', 404, 'page not found'],
    ['POST', '/swarm/init', 400, 'invalid JSON: got EOF while reading request body'],
    ['POST', '/swarm/join', 400, 'invalid JSON: got EOF while reading request body'],
    ['GET', '/v1.99/info', 400, 'client version 1.99 is too new. Maximum supported API version is 1.41'],
  ])('%s %s is refused: %i', async (method, path, status, message) => {
    const answer = await house.client.ask(path, { method });
    expect({ status: answer.status, ...JSON.parse(answer.text) }).toEqual({ status, message });
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'api-version': '1.41' });
  });

  test.each([
    ['/v1.1/nodes', 400, /^client version 1\.1 is too old\. Minimum supported API version is 1\.12, please upgrade /],
    ['/v1.23/nodes', 503, /^This node is not a swarm manager\. /],
  ])('GET %s is refused in plain text, as clients of that age expect', async (path, status, message) => {
    const answer = await house.client.ask(path);
    expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
      status,
      type: 'text/plain; charset=utf-8',
    });
    expect(answer.text).toMatch(message);
  });

  test.each([
    ['no JSON', 'application/json', '{"ListenAddr"', /^invalid JSON: /],
    ['a list', 'application/json', '[]', /./],
    ['another type', 'text/plain', '{}', "unsupported Content-Type header (text/plain): must be 'application/json'"],
    ['no type', '', '{}', 'malformed Content-Type header (): mime: no media type'],
    ['a wrong field', 'application/json', '{"ListenAddr":7}', /ListenAddr/],
    ['no address', 'application/json', '{"JoinToken":"x"}', 'at least 1 RemoteAddr is required to join'],
    ['a wrong token', 'application/json', '{"RemoteAddrs":["127.0.0.1:1"],"JoinToken":"x"}', /token/i],
    ['a wrong address', 'application/json', '{"RemoteAddrs":["a:b:c"],"JoinToken":"x"}', /RemoteAddrs.*a:b:c/],
  ])('a join with %s is refused and changes nothing', async (_name, type, body, message) => {
    const headers = type === '' ? {} : { 'Content-Type': type };
    const answer = await house.client.ask('/swarm/join', { method: 'POST', headers, body });
    expect(answer.status).toBe(400);
    const expected: unknown = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(JSON.parse(answer.text)).toEqual({ message: expected });
    expect((await house.client.ask('/_ping')).headers.swarm).toBe('inactive');
  });

  test.each([
    [{ ForceNewCluster: true }, /ForceNewCluster/],
    [{ AutoLockManagers: true }, /AutoLockManagers/],
    [{ DataPathAddr: '10.0.0.1' }, /DataPathAddr/],
    [{ DefaultAddrPool: ['10.0.0.0/8'] }, /DefaultAddrPool/],
    [{ Spec: { CAConfig: { ExternalCAs: [{ URL: 'https://x' }] } } }, /ExternalCAs/],
  ])('an init with %j is refused by name', async (body, message) => {
    const answer = await house.client.ask('/swarm/init', {
      method: 'POST',
      body: { AdvertiseAddr: '127.0.0.1', ...body },
    });
    expect(answer.status).toBe(501);
    expect(answer.text).toMatch(message);
  });

  test('a body beyond the limit is refused', async () => {
    const headers = { 'Content-Type': 'application/json' };
    for (const path of ['/swarm/init', '/networks/create']) {
      const call = house.client.open(path, { method: 'POST', headers });
      call.on('error', () => undefined);
      const answered = new Promise<number | undefined>((resolve) => {
        call.on('response', ({ statusCode }) => {
          resolve(statusCode);
        });
      });
      call.end(Buffer.alloc(5 * 1024 * 1024, ' '));
      expect(await answered).toBe(413);
      call.destroy();
    }
  });

  test('an overlay network is refused by name, any other is made by the Engine', async () => {
    const bodies: string[] = [];
    house.engine.behave = (request, response) => {
      void readAll(request).then((body) => {
        bodies.push(body.toString());
        response.writeHead(201, { 'Content-Type': 'application/json' });
        response.end('{"Id":"n"}');
      });
    };
    const overlay = { method: 'POST', body: { Name: 'net', driver: 'overlay' } };
    const refused = await house.client.ask('/v1.41/networks/create', overlay);
    expect(refused.status).toBe(501);
    expect(refused.text).toMatch(/overlay networks are not implemented in this version/);
    const bridge = { method: 'POST', body: { Name: 'net', Driver: 'bridge' } };
    expect((await house.client.ask('/v1.41/networks/create', bridge)).text).toBe('{"Id":"n"}');
    const rubbish = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{' };
    expect((await house.client.ask('/networks/create', rubbish)).status).toBe(201);
    expect(bodies).toEqual(['{"Name":"net","Driver":"bridge"}', '{']);
  });

  test('rubbish on the socket is answered and cut off', async () => {
    const socket = await house.client.connect();
    socket.write('\x16\x03\x01\x02\x00\x01 what is this\r\n\r\n');
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1.1 400 Bad Request/);
    socket.destroy();
  });

  test("a connection is kept for many requests, ours and the Engine's", async () => {
    house.engine.behave = (_request, response) => {
      response.end('[]');
    };
    const socket = await house.client.connect();
    const paths = ['/_ping', '/containers/json', '/info', '/nodes', '/containers/json'];
    const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');
    socket.write(`${requests}GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const statuses = [...(await readAll(socket)).toString().matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(['200', '200', '200', '503', '200', '200']);
  });
});

describe('while the Engine is down', () => {
  let house: DaemonOnEngine;
  beforeEach(async () => {
    house = await daemonOnEngine();
  });
  afterEach(() => house.end());

  test('the ping answers with what was known last', async () => {
    await house.client.ask('/_ping');
    await house.engine.stop();
    const { status, headers } = await house.client.ask('/_ping');
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'api-version': '1.41', server: 'Docker/20.10.24 (linux)', swarm: 'inactive' });
  });
});
