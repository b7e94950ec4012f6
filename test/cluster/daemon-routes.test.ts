import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';
import { ROUTE_REQUESTS } from '../support/route-requests.js';
import { serviceBody } from '../support/service-body.js';

let api: DaemonApi;
/** By the names that the tables use. */
const ids: Record<string, string> = {};
beforeAll(async () => {
  api = await DaemonApi.start();
  const [node] = await api.nodes();
  ids.NODE = node?.ID ?? '';
  ids.AT = String(node?.Version.Index);
  const web = await api.create({ Name: 'web' });
  ids.WEB = web.ID;
  ids.V = String(web.Version.Index);
});
afterAll(() => api.end());

/** `POST /services/WEB/update?version=V` with what the names stand for. */
const ask = (request: string, question: Parameters<DaemonApi['ask']>[2] = {}) => {
  const [method = '', path = ''] = request.split(' ');
  return api.ask(
    method,
    path.replace(/\b(?:WEB|NODE|AT|V)\b/g, (name) => ids[name] ?? name),
    question,
  );
};

const SERVICE = 'POST /services/WEB/update?version=V';
const NODE = 'POST /nodes/NODE/update?version=AT';
const STALE = 'rpc error: code = Unknown desc = update out of sequence';
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('a request that is refused leaves everything as it was', () => {
  test.each<[string, number, string | RegExp]>([
    ['GET /bale/services/nothing/history', 404, 'service nothing not found'],
    ['POST /bale/services/nothing/rollback?to=1', 404, 'service nothing not found'],
    ['POST /bale/services/nothing/rebalance', 404, 'service nothing not found'],
    ['POST /bale/nodes/nothing/drain', 404, 'node nothing not found'],
    ['POST /bale/services/WEB/history', 404, 'page not found'],
    ['GET /bale/services/WEB/rebalance', 404, 'page not found'],
    ['PUT /bale/services/WEB/rollback', 404, 'page not found'],
    ['POST /bale/services/WEB/restart', 404, 'page not found'],
    ['GET /bale/nothing', 404, 'page not found'],
    ['GET /bale/services//history', 404, 'page not found'],
    ['GET /bale/services/%00/history', 404, 'service \0 not found'],
    [`GET /services?filters=${'['.repeat(100_000)}`, 400, /^invalid filters: .{1,200}$/],
    [`GET /nodes?filters={"name":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 400, /^invalid filters: .{1,200}$/],
    ['GET /bale/services/%zz/history', 400, /^invalid URL: /],
    ['POST /bale/nodes/%E0%A4%A/drain', 400, /^invalid URL: /],
    [`GET /services/${'x'.repeat(1_001)}`, 404, 'no id or name of more than 1000 characters was found'],
    ['POST /bale/services/WEB/rollback', 400, /^to: "" is no version; /],
    ['POST /bale/services/WEB/rollback?to=x', 400, /^to: "x" is no version; /],
    ['POST /bale/services/WEB/rollback?to=-1', 400, /^to: "-1" is no version; /],
    ['POST /bale/services/WEB/rollback?to=1e3', 400, /^to: "1e3" is no version; /],
    ['POST /bale/services/WEB/rollback?to=99999999999999999999', 400, /^to: "9+" is no version; /],
    ['POST /bale/services/WEB/rollback?to=7', 404, /has no earlier spec of version 7; it has none$/],
    ['POST /bale/nodes/NODE/drain?deadline=', 400, /^deadline: "" is not a duration/],
    ['POST /bale/nodes/NODE/drain?deadline=5', 400, /^deadline: "5" is not a duration/],
    ['POST /bale/nodes/NODE/drain?deadline=-1s', 400, 'deadline: "-1s" must be longer than nothing'],
    ['POST /bale/nodes/NODE/drain?deadline=0', 400, 'deadline: "0" must be longer than nothing'],
    ['POST /bale/nodes/NODE/drain?deadline=577h', 400, 'deadline: "577h" must be at most 576h, which is 24 days'],
    [`POST /bale/nodes/NODE/drain?deadline=${'9'.repeat(400)}h`, 400, /^deadline: "9{64}" must be at most 576h/],
    ['POST /bale/nodes/NODE/drain?max-parallel=0', 400, 'max-parallel: "0" must be a whole number from 1'],
    ['POST /bale/nodes/NODE/drain?max-parallel=-1', 400, 'max-parallel: "-1" must be a whole number from 1'],
    ['POST /bale/nodes/NODE/drain?max-parallel=1.5', 400, 'max-parallel: "1.5" must be a whole number from 1'],
    ['POST /bale/nodes/NODE/drain?max-parallel=', 400, 'max-parallel: "" must be a whole number from 1'],
    ['POST /bale/nodes/NODE/drain?version=x', 400, /^invalid node version 'x': strconv\.ParseUint: /],
    ['POST /bale/nodes/NODE/drain?version=999999', 500, STALE],
  ])('%s: %i', async (request, status, message) => {
    const before = await api.written();
    expect(refusalOf(await ask(request))).toEqual({
      status,
      message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
    });
    expect(await api.written()).toEqual(before);
  });

  test.each<[string, string, unknown, number, string | RegExp]>([
    [
      SERVICE,
      'another type',
      serviceBody({ Labels: [] }),
      400,
      'invalid ServiceSpec: Labels: expected an object, got a list',
    ],
    [
      SERVICE,
      'a wrong entry',
      serviceBody({ TaskTemplate: { ContainerSpec: { Env: ['A=1', 2] } } }),
      400,
      'invalid ServiceSpec: TaskTemplate.ContainerSpec.Env[1]: expected a string, got a number',
    ],
    [
      SERVICE,
      'a wrong word',
      serviceBody({ UpdateConfig: { Order: 'sideways' } }),
      400,
      /^invalid ServiceSpec: UpdateConfig\.Order: must be one of .*, got "sideways"$/,
    ],
    [
      SERVICE,
      'a negative number',
      serviceBody({ UpdateConfig: { Parallelism: -1 } }),
      400,
      /UpdateConfig\.Parallelism/,
    ],
    [
      SERVICE,
      'a wrong ratio',
      serviceBody({ UpdateConfig: { MaxFailureRatio: 2 } }),
      400,
      /failure ratio|MaxFailureRatio/i,
    ],
    [
      SERVICE,
      'no image',
      serviceBody({ TaskTemplate: { ContainerSpec: { Image: '' } } }),
      400,
      /image reference must be/,
    ],
    [SERVICE, 'another name', serviceBody({ Name: 'other' }), 501, /renaming services is not supported$/],
    [SERVICE, 'another mode', { ...serviceBody(), Mode: { Global: {} } }, 501, /mode change is not allowed$/],
    [
      SERVICE,
      'a field to come',
      serviceBody({ TaskTemplate: { Networks: [{ Target: 'n' }] } }),
      501,
      /^TaskTemplate\.Networks is not/,
    ],
    [
      SERVICE,
      'a label of ours',
      serviceBody({ Labels: { 'bale.update.progress-deadline': '1ms' } }),
      400,
      /progress-deadline/,
    ],
    ['POST /services/WEB/update', 'no version', serviceBody(), 400, /^invalid service version ''/],
    ['POST /services/WEB/update?version=-1', 'a wrong version', serviceBody(), 400, /^invalid service version '-1'/],
    ['POST /services/WEB/update?version=999999', 'a version to come', serviceBody(), 500, STALE],
    [`${SERVICE}&rollback=next`, 'a wrong rollback', serviceBody(), 400, 'unrecognized rollback option next'],
    [`${SERVICE}&rollback=previous`, 'nothing to go back to', serviceBody(), 400, /does not have a previous spec$/],
    ['POST /services/nothing/update?version=1', 'no such service', serviceBody(), 404, 'service nothing not found'],
    [
      NODE,
      'a wrong word',
      { Role: 'manager', Availability: 'away' },
      400,
      /^invalid NodeSpec: Availability: must be one of active/,
    ],
    [
      NODE,
      'another type',
      { Role: 'manager', Availability: 3 },
      400,
      'invalid NodeSpec: Availability: expected a string, got a number',
    ],
    [
      NODE,
      'a wrong label',
      { Role: 'manager', Labels: { a: 1 } },
      400,
      'invalid NodeSpec: Labels.a: expected a string, got a number',
    ],
    [NODE, 'another role', { Role: 'worker', Availability: 'active' }, 400, /demote the last manager of the swarm$/],
    ['POST /nodes/NODE/update', 'no version', { Role: 'manager' }, 400, /^invalid node version ''/],
    [
      'POST /nodes/NODE/update?version=999999',
      'a version to come',
      { Role: 'manager', Availability: 'pause' },
      500,
      STALE,
    ],
    [
      'POST /nodes/nothing/update?version=1',
      'no such node',
      { Role: 'manager', Availability: 'pause' },
      404,
      'node nothing not found',
    ],
  ])('%s with %s: %#', async (request, _what, body, status, message) => {
    const before = await api.written();
    expect(refusalOf(await ask(request, { headers: JSON_TYPE, body: JSON.stringify(body) }))).toEqual({
      status,
      message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
    });
    expect(await api.written()).toEqual(before);
  });

  /** On a manager; the others are asked on nodes of no cluster. */
  const BODY_ROUTES = Object.entries(ROUTE_REQUESTS)
    .filter(([, { body, membership }]) => body !== undefined && membership !== true)
    .map(([route]) => `${route.replace(':id', route.includes('/nodes/') ? 'NODE' : 'WEB')}?version=1`);

  const deep = (open: string, close: string, times = 500_000) => open.repeat(times) + close.repeat(times);
  const large = (entry: unknown, entries: number) =>
    JSON.stringify(
      serviceBody({ TaskTemplate: { ContainerSpec: { Env: Array.from({ length: entries }, () => entry) } } }),
    );

  test.each<[string, string | undefined, string | Buffer | undefined, RegExp]>([
    ['no body', 'application/json', undefined, /^invalid JSON: got EOF while reading request body$/],
    ['no JSON', 'application/json', '{"Name"', /^invalid JSON: /],
    ['no UTF-8', 'application/json', Buffer.from([0x22, 0xff, 0x22]), /^invalid JSON: /],
    ['null', 'application/json', 'null', /^invalid [\w ]+: expected an object, got null$/],
    ['a list', 'application/json', '[]', /^invalid [\w ]+: expected an object, got a list$/],
    [
      'another type',
      'text/plain',
      '{}',
      /^unsupported Content-Type header \(text\/plain\): must be 'application\/json'$/,
    ],
    ['a type of one word', 'json', '{}', /^unsupported Content-Type header \(json\): must be 'application\/json'$/],
    ['an empty type', ';;', '{}', /^malformed Content-Type header \(;;\): mime: no media type$/],
    ['no type', undefined, '{}', /^malformed Content-Type header \(\): mime: no media type$/],
    ['an end too early', 'application/json', '['.repeat(2_000_000), /^invalid JSON: /],
    ['deep lists', 'application/json', deep('[', ']'), /expected an object, got a list$/],
    [
      'deep labels',
      'application/json',
      `{"Labels":${deep('{"a":', '}', 300_000).replace('}', '1}')}}`,
      /Labels\.a: expected a string, got an object$/,
    ],
    ['too much', 'application/json', ' '.repeat(5 * 1024 * 1024), /^the request body is larger than 4 MiB$/],
  ])('a body that is %s', async (_what, type, body, message) => {
    const before = await api.written();
    // What is large is dear to send: two routes tell as much as all.
    for (const request of (body?.length ?? 0) > 100_000 ? [SERVICE, NODE] : BODY_ROUTES) {
      const headers = type === undefined ? {} : { 'Content-Type': type };
      const answer = refusalOf(await ask(request, { headers, ...(body === undefined ? {} : { body }) }));
      const status = answer.message.includes('larger') ? 413 : 400;
      expect({ request, ...answer }).toEqual({ request, status, message: expect.stringMatching(message) as string });
    }
    expect(await api.written()).toEqual(before);
  });

  test('a list of very many wrong entries does not hold the manager up', async () => {
    const before = process.cpuUsage();
    const answer = refusalOf(await ask(SERVICE, { headers: JSON_TYPE, body: large(1, 800_000) }));
    expect(answer).toEqual({
      status: 400,
      message: 'invalid ServiceSpec: TaskTemplate.ContainerSpec.Env: has 800000 entries; at most 10000 can be given',
    });
    // Looking at each of them took eight seconds of work.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(3);
  });
});

test('routes without a body do not care for one, but for a type that is none', async () => {
  const headers = { 'Content-Type': 'text/plain' };
  expect(await ask('POST /bale/services/WEB/rebalance', { headers, body: '{' })).toMatchObject({ status: 200 });
  const answer = await ask('POST /bale/services/WEB/rebalance', { headers: { 'Content-Type': ';' }, body: '{' });
  expect(refusalOf(answer)).toEqual({ status: 400, message: 'malformed Content-Type header (;): mime: no media type' });
});

test('what clients may spell in several ways', async () => {
  const { Spec, Version } = await api.service('web');
  expect((await ask('GET /v1.41/bale/services/web/history')).status).toBe(200);
  expect((await ask(`GET /bale/services/${ids.WEB?.slice(0, 20) ?? ''}/history`)).status).toBe(200);
  // The same spec again, with charset, other letters and a field that nobody knows.
  const body = JSON.stringify(Spec).replace('"Labels"', '"labels"').replace(/^\{/, '{"Unknown":[1],');
  const headers = { 'Content-Type': 'Application/JSON; charset=utf-8' };
  const answer = await ask(`POST /services/web/update?version=${Version.Index}`, { headers, body });
  expect(answer).toMatchObject({ status: 200, text: '{"Warnings":null}\n' });
  expect((await api.service('web')).Version).toEqual(Version);
});
