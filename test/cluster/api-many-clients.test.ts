import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';
import { eventually } from '../support/eventually.js';
import { serviceBody } from '../support/service-body.js';
import { readUntil } from '../support/socket-client.js';

let api: DaemonApi;
beforeAll(async () => {
  api = await DaemonApi.start();
});
afterAll(() => api.end());

const STALE = { status: 500, message: 'rpc error: code = Unknown desc = update out of sequence' };
const Data = Buffer.from('data').toString('base64');

interface Named {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: Readonly<Record<string, unknown>>;
}

/** Answers of `count` requests that are on their way at once. */
const atOnce = (count: number, ask: (number: number) => ReturnType<DaemonApi['ask']>) =>
  Promise.all(Array.from({ length: count }, (_none, number) => ask(number)));

describe('of writes of one version at once exactly one is done', () => {
  const made: readonly (readonly [noun: string, path: string, body: Record<string, unknown> | undefined])[] = [
    ['services', '/services/one', serviceBody({ Name: 'one', Mode: { Replicated: { Replicas: 0 } } })],
    ['secrets', '/secrets/one', { Name: 'one', Data }],
    ['configs', '/configs/one', { Name: 'one', Data }],
    ['nodes', '/nodes/m', undefined],
    ['swarm', '/swarm', undefined],
  ];

  test.each(made)('%s', async (noun, path, body) => {
    if (body !== undefined) expect((await api.ask('POST', `/${noun}/create`, { body })).status).toBe(201);
    const found = noun === 'nodes' ? (await api.get<readonly Named[]>('/nodes'))[0] : await api.get<Named>(path);
    const { ID = '', Version, Spec = {} } = found ?? {};
    const place = noun === 'swarm' ? '/swarm' : `/${noun}/${ID}`;
    const answers = await atOnce(20, (number) =>
      api.ask('POST', `${place}/update?version=${Version?.Index ?? ''}`, {
        body: { ...Spec, Labels: { writer: String(number) } },
      }),
    );
    const winners = answers.flatMap(({ status }, number) => (status === 200 ? [number] : []));
    expect(winners).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expect(refusalOf(answer)).toEqual(STALE);
    const after = await api.get<Named>(place);
    expect(after.Spec.Labels).toEqual({ writer: String(winners[0]) });
    // The winner's version is used up too.
    const late = await api.ask('POST', `${place}/update?version=${Version?.Index ?? ''}`, { body: { ...Spec } });
    expect(refusalOf(late)).toEqual(STALE);
  });

  test.each([
    ['services', serviceBody({ Name: 'twin', Mode: { Replicated: { Replicas: 0 } } })],
    ['secrets', { Name: 'twin', Data }],
    ['configs', { Name: 'twin', Data }],
  ])('%s of one name: one is made, and one removal finds it', async (noun, body) => {
    const answers = await atOnce(20, () => api.ask('POST', `/${noun}/create`, { body }));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    expect((await api.get<readonly Named[]>(`/${noun}`)).filter(({ Spec }) => Spec.Name === 'twin')).toHaveLength(1);
    const removals = await atOnce(20, () => api.ask('DELETE', `/${noun}/twin`));
    expect(removals.filter(({ status }) => status === 404)).toHaveLength(19);
  });
});

describe('clients that hang up', () => {
  /** Sockets of this process, both ends of all that are open. */
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap').length;

  test('in the middle of a body change nothing, and leave nothing open', async () => {
    const before = await api.written();
    const open = sockets();
    const text = JSON.stringify(serviceBody({ Name: 'half' }));
    for (const path of ['/services/create', '/secrets/create', '/swarm/update?version=1', '/networks/create']) {
      const socket = await api.manager.client.connect();
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`;
      socket.write(head + text.slice(0, text.length / 2));
      // Behind it another connection is answered: the daemon has read the first one by then.
      expect((await api.ask('GET', '/_ping')).status).toBe(200);
      socket.destroy();
    }
    await eventually('all of it to be closed', () => Promise.resolve(sockets() <= open));
    expect(await api.written()).toEqual(before);
  });

  test('in the middle of an answer leave nothing open, and hold nobody up', async () => {
    await api.ask('POST', '/configs/create', {
      body: { Name: 'large', Data: Buffer.alloc(900_000).toString('base64') },
    });
    const open = sockets();
    for (let number = 0; number < 50; number += 1) {
      const socket = await api.manager.client.connect();
      socket.write('GET /configs HTTP/1.1\r\nHost: x\r\n\r\n');
      await readUntil(socket, 'HTTP/1.1 200 OK');
      socket.destroy();
    }
    await eventually('all of it to be closed', () => Promise.resolve(sockets() <= open));
    expect((await api.get<Named>('/configs/large')).Spec.Name).toBe('large');
  });

  test('in the middle of a long list of tasks leave nothing open, and hold nobody up', async () => {
    const REPLICAS = 3_000;
    const Placement = { Constraints: ['node.labels.there==nowhere'] };
    await api.create({ Name: 'long', TaskTemplate: { Placement }, Mode: { Replicated: { Replicas: REPLICAS } } });
    await eventually('its tasks', async () => (await api.tasks('long')).length === REPLICAS);
    const open = sockets();
    const clients = await Promise.all(Array.from({ length: 40 }, () => api.manager.client.connect()));
    for (const client of clients) {
      client.write('GET /tasks HTTP/1.1\r\nHost: x\r\n\r\n');
      await readUntil(client, '"ServiceID"');
    }
    // All forty are in the middle of it, since none of them reads on.
    expect((await api.tasks('long')).length).toBe(REPLICAS);
    for (const client of clients) client.destroy();
    await eventually('all of it to be closed', () => Promise.resolve(sockets() <= open));
    expect((await api.get<readonly unknown[]>('/tasks')).length).toBe(REPLICAS);
    await api.ask('DELETE', '/services/long');
  });

  test('after a write that was sent whole have it done', async () => {
    const socket = await api.manager.client.connect();
    const text = JSON.stringify({ Name: 'farewell', Data });
    socket.end(
      `POST /secrets/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    await eventually('the secret', async () => (await api.ask('GET', '/secrets/farewell')).status === 200);
    socket.destroy();
  });
});

describe('five hundred clients', () => {
  const MANY = 500;
  beforeAll(async () => {
    for (let number = 0; number < 50; number += 1) {
      await api.create({
        Name: `many${number}`,
        Labels: { long: 'x'.repeat(2_000) },
        Mode: { Replicated: { Replicas: 0 } },
      });
    }
  });

  test('at once get the same whole answer', async () => {
    const answers = await atOnce(MANY, () => api.ask('GET', '/services?status=true'));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.text.length).toBeGreaterThan(100_000);
  });

  test('that do not read their answers hold up nobody else, and get them when they do', async () => {
    const stalled = await Promise.all(Array.from({ length: MANY }, () => api.manager.client.connect()));
    for (const socket of stalled) socket.pause().write('GET /services HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await api.ask('POST', '/secrets/create', { body: { Name: 'among', Data } })).status).toBe(201);
    expect((await api.get<readonly Named[]>('/services')).length).toBeGreaterThanOrEqual(50);
    // Who reads late gets all of it.
    for (const socket of stalled.slice(0, 5)) await readUntil(socket, '"many49"');
    for (const socket of stalled) socket.destroy();
    await Promise.all(stalled.map(async (socket) => (socket.closed ? undefined : once(socket, 'close'))));
  });

  test('that write at once are all served, each object whole', async () => {
    const answers = await atOnce(MANY, (number) =>
      api.ask('POST', '/secrets/create', {
        body: { Name: `crowd${number}`, Labels: { number: String(number) }, Data },
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const filters = encodeURIComponent('{"name":["crowd"]}');
    const listed = await api.get<readonly Named[]>(`/secrets?filters=${filters}`);
    expect(new Set(listed.map(({ Spec }) => Spec.Name))).toEqual(
      new Set(Array.from({ length: MANY }, (_none, number) => `crowd${number}`)),
    );
    for (const { Spec } of listed) expect(Spec.Labels).toEqual({ number: String(Spec.Name).slice(5) });
  });
});

test('the socket is for its owner and its group alone', async () => {
  const { mode, uid } = await stat(api.manager.options.socket);
  expect((mode & 0o7777).toString(8)).toBe('660');
  expect(uid).toBe(process.getuid?.());
});
