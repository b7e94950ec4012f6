import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { apiRoutes } from '../support/api-routes.js';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';
import { DaemonCluster, type DaemonNode } from '../support/daemon-cluster.js';
import { ROUTE_REQUESTS, type RouteRequests } from '../support/route-requests.js';
import { serviceBody } from '../support/service-body.js';
import type { Answer } from '../support/socket-client.js';

/** Of each route. */
const RUNS = 25;
const STALE = 'rpc error: code = Unknown desc = update out of sequence';
const Data = Buffer.from('data').toString('base64');
const ROUTES = Object.entries(ROUTE_REQUESTS).map(([route, requests]) => {
  const [method = '', path = ''] = route.split(' ');
  return { route, method, path, requests };
});

test('each route of the API has a row here', async () => {
  expect(Object.keys(ROUTE_REQUESTS).sort()).toEqual(await apiRoutes());
});

const NO_PAGE = { status: 404, message: 'page not found' };

interface Generated {
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly type: string;
  readonly auth: string | undefined;
}

const ids = (known: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known) },
    fc.constantFrom('', '0', '__proto__', '%2e%2e', '%zz', '%00', 'x'.repeat(1_001)),
    fc.string().map(encodeURIComponent),
  );

const generated = ({ query = {}, body = fc.jsonValue() }: RouteRequests, known: readonly string[]) =>
  fc.record<Generated>({
    id: ids(known),
    query: fc.record({ ...query, [`x-${known.length}`]: fc.string() }, { requiredKeys: [] }) as fc.Arbitrary<
      Record<string, string>
    >, // all of its values are texts
    body: fc.oneof(
      { weight: 8, arbitrary: body.map((one) => JSON.stringify(one)) },
      { weight: 1, arbitrary: fc.constantFrom(undefined, '', '{', '{"a":1}{', '['.repeat(10_000), 'null') },
    ),
    type: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
      { weight: 1, arbitrary: fc.constantFrom('text/plain', '', ';', 'application/x-www-form-urlencoded') },
    ),
    auth: fc.option(fc.constantFrom('', 'e30=', 'bm8=', '!', 'eyJ1c2VybmFtZSI6ImEiLCJwYXNzd29yZCI6ImIifQ=='), {
      nil: undefined,
    }),
  });

type Send = (
  method: string,
  path: string,
  question: { headers: Record<string, string>; body?: string },
) => Promise<Answer>;

function send(to: Send, method: string, path: string, { id, query, body, type, auth }: Generated): Promise<Answer> {
  const isSent = body !== undefined && method !== 'GET';
  const headers = {
    'Content-Type': type,
    ...(auth === undefined ? {} : { 'X-Registry-Auth': auth }),
    ...(isSent ? { 'Content-Length': String(Buffer.byteLength(body)) } : {}),
  };
  const url = `${path.replace(':id', id)}?${new URLSearchParams(query).toString()}`;
  return to(method, url, { headers, ...(isSent ? { body } : {}) });
}

const notFound = (noun: string, id: string): string =>
  noun === 'client certificate'
    ? `valid client certificate ${id} not found; "bale client-cert ls" shows those that there are`
    : `${noun} ${id} not found`;

/** Refusals have a reason; the one 500 is that of a lost write. */
function expectRefusal(answer: Answer, statuses: readonly number[]): void {
  const { status, message } = refusalOf(answer);
  expect(message).not.toBe('');
  if (status === 500) expect(message).toBe(STALE);
  else expect(statuses).toContain(status);
}

describe('on a manager, whatever comes is done whole, or refused and nothing changes', () => {
  let api: DaemonApi;
  let node: string;
  beforeAll(async () => {
    api = await DaemonApi.start();
    node = (await api.nodes())[0]?.ID ?? '';
  });
  afterAll(() => api.end());

  /** What requests are about, made anew where the route before removed it. */
  beforeEach(async () => {
    await api.ask('POST', '/services/create', {
      body: serviceBody({ Name: 'web', Mode: { Replicated: { Replicas: 1 } } }),
    });
    for (const noun of ['secrets', 'configs'])
      await api.ask('POST', `/${noun}/create`, { body: { Name: 'key', Data } });
  });

  const known = async (): Promise<readonly string[]> => [
    ...['web', 'key', 'm', node],
    (await api.service('web')).ID,
    ...(await api.tasks('web')).map(({ ID }) => ID),
    ...(await Promise.all(['secrets', 'configs'].map((noun) => api.get<{ ID: string }>(`/${noun}/key`)))).map(
      ({ ID }) => ID,
    ),
  ];

  test.each(ROUTES.filter(({ requests }) => requests.membership !== true))(
    '$route',
    async ({ method, path, requests }) => {
      const reads = method === 'GET';
      let before = await api.written();
      await fc.assert(
        fc.asyncProperty(generated(requests, await known()), async (request) => {
          const answer = await send((...one) => api.ask(...one), method, path, request);
          if (answer.status >= 300) expectRefusal(answer, [400, 404, 409, 501]);
          if (reads) return;
          const after = await api.written();
          if (answer.status >= 300) expect(after).toEqual(before);
          before = after;
        }),
        { numRuns: RUNS },
      );
      expect(await api.written()).toEqual(before);
    },
  );

  const GOOD_BODIES = {
    service: serviceBody({ Name: 'nosuch' }),
    node: { Role: 'worker', Availability: 'active' },
    task: {},
    secret: { Name: 'nosuch', Data },
    config: { Name: 'nosuch', Data },
    'client certificate': {},
  };

  test.each(ROUTES.filter(({ path }) => path.includes(':id')))('$route: no such id or name', async (row) => {
    const { method, path, requests } = row;
    const { noun } = requests;
    if (noun === undefined) throw new Error(`${row.route} has no noun`);
    const before = await api.written();
    for (const id of ['nosuch', '__proto__', 'constructor', '%2e%2e', 'a%2Fb', '%F0%9F%90%A2', '%00']) {
      const question = method === 'POST' ? { body: GOOD_BODIES[noun] } : {};
      const answer = await api.ask(method, `${path.replace(':id', id)}?version=1&to=1&force=1`, question);
      expect(refusalOf(answer)).toEqual({ status: 404, message: notFound(noun, decodeURIComponent(id)) });
    }
    expect(await api.written()).toEqual(before);
  });

  // Other methods on paths that the Engine has too are the Engine's.
  const own = ROUTES.filter(({ requests }) => requests.local !== true);
  test.each([...new Set(own.map(({ path }) => path))])('%s has no other methods', async (path) => {
    const before = await api.written();
    const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((one) => !methods.includes(one))) {
      // `/services/create` is also a service of that name.
      if (path.endsWith('/create') && (method === 'GET' || method === 'DELETE')) continue;
      const place = `${path.replace(':id', 'web')}?version=1`;
      expect({ method, ...refusalOf(await api.ask(method, place)) }).toEqual({ method, ...NO_PAGE });
    }
    expect(await api.written()).toEqual(before);
  });

  test('what all of this made is whole: it can be read, sent back as it is, and removed', async () => {
    const before = await api.written();
    for (const { ID, Version, Spec } of await api.get<
      readonly { ID: string; Version: { Index: number }; Spec: object }[]
    >('/services')) {
      const { status, text } = await api.ask('POST', `/services/${ID}/update?version=${Version.Index}`, {
        body: { ...Spec },
      });
      expect({ status, text }).toEqual({ status: 200, text: '{"Warnings":null}\n' });
    }
    expect(await api.written()).toEqual(before);
    for (const noun of ['services', 'secrets', 'configs']) {
      for (const { ID } of await api.get<readonly { ID: string }[]>(`/${noun}`)) {
        expect((await api.ask('DELETE', `/${noun}/${ID}`)).status).toBeLessThan(300);
      }
    }
  });
});

describe('on daemons that may change what they are', () => {
  let cluster: DaemonCluster;
  let loose: DaemonNode;
  let worker: DaemonNode;
  beforeAll(async () => {
    cluster = await DaemonCluster.start();
    const manager = await cluster.node('m');
    loose = await cluster.node('loose');
    worker = await cluster.node('w');
    const ListenAddr = '0.0.0.0:2377';
    await manager.client.ask('/swarm/init', { method: 'POST', body: { ListenAddr } });
    const { JoinTokens } = (await manager.client.document('/swarm')) as { JoinTokens: { Worker: string } };
    const joined = await worker.client.ask('/swarm/join', {
      method: 'POST',
      body: { ListenAddr, RemoteAddrs: [manager.listenAddr], JoinToken: JoinTokens.Worker },
    });
    if (joined.status !== 200) throw new Error(joined.text);
  });
  afterAll(() => cluster.end());

  const stateOf = async (node: DaemonNode) => (await node.client.ask('/_ping')).headers.swarm;
  const to =
    (node: DaemonNode): Send =>
    (method, path, question) =>
      node.client.ask(path, { method, ...question });

  test.each(ROUTES.filter(({ requests }) => requests.membership === true))(
    '$route, on a node that is in no cluster',
    async ({ method, path, requests }) => {
      await fc.assert(
        fc.asyncProperty(generated(requests, ['x']), async (request) => {
          const answer = await send(to(loose), method, path, request);
          if (answer.status < 300) {
            expect((await loose.client.ask('/swarm/leave?force=1', { method: 'POST' })).status).toBe(200);
          } else expectRefusal(answer, [400, 404, 501, 503]);
          expect(await stateOf(loose)).toBe('inactive');
        }),
        { numRuns: RUNS },
      );
    },
  );

  const NO_MANAGER = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" ';
  const A_WORKER = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. ";

  test.each(ROUTES.filter(({ requests }) => requests.membership !== true && requests.local !== true))(
    '$route: 503 where there is no manager, whatever is sent',
    async ({ method, path, requests }) => {
      for (const [node, state, words] of [
        [loose, 'inactive', NO_MANAGER],
        [worker, 'active/worker', A_WORKER],
      ] as const) {
        await fc.assert(
          fc.asyncProperty(
            generated(requests, ['x']).filter(
              ({ id, type }) => !id.includes('%zz') && id.length <= 1_000 && type.includes('/'),
            ),
            async (request) => {
              const { status, message } = refusalOf(await send(to(node), method, path, request));
              expect({ status, message }).toEqual({ status: 503, message: expect.stringContaining(words) as string });
            },
          ),
          { numRuns: 3 },
        );
        expect(await stateOf(node)).toBe(state);
      }
    },
  );
});
