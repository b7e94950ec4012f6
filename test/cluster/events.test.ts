import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DaemonApi, refusalOf } from '../support/daemon-api.js';
import { EventWatcher, queryText, type WatchedEvent } from '../support/event-watcher.js';
import { eventually } from '../support/eventually.js';

let house: DaemonApi;
/** Streams of the Engine's that are open. */
const engineStreams = new Set<ServerResponse>();
const engineUrls: string[] = [];
let enginePast: readonly string[] = [];

beforeAll(async () => {
  house = await DaemonApi.start();
});
afterAll(() => house.end());
beforeEach(async () => {
  // Watchers of an earlier test have hung up, and a new one would join their stream while that is on its way.
  await eventually('an Engine of nobody', () => Promise.resolve(engineStreams.size === 0 || undefined));
  enginePast = [];
  engineUrls.length = 0;
  house.cluster.engine.behave = (request, response) => {
    const url = request.url ?? '';
    if (!/^\/v[\d.]+\/events/.test(url)) {
      response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"message":"no such image"}\n');
      return;
    }
    engineUrls.push(url);
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    for (const line of enginePast) response.write(line);
    const until = /[?&]until=(\d+)/.exec(url)?.[1];
    if (until !== undefined && Number(until) * 1000 < Date.now()) response.end();
    engineStreams.add(response);
    response.on('close', () => engineStreams.delete(response));
  };
});

const engineLine = (id: string, time = Date.now()): string =>
  `{"status":"start","id":"${id}","Type":"container","Action":"start","Actor":{"ID":"${id}","Attributes":{"name":"${id}"}},` +
  `"scope":"local","time":${Math.floor(time / 1000)},"timeNano":${time}000000}\n`;

async function watch(query: Readonly<Record<string, string | number | object>> = {}): Promise<EventWatcher> {
  const watcher = await EventWatcher.open(house.manager.client, query);
  onTestFinished(() => {
    watcher.hangUp();
  });
  return watcher;
}

const is =
  (type: string, action: string, name: string) =>
  ({ Type, Action, Actor }: WatchedEvent): boolean =>
    Type === type && Action === action && Actor.Attributes.name === name;

describe('events of a cluster', () => {
  test('tell of a service from its creation to its removal, in the form of the Engine', async () => {
    const watcher = await watch({ filters: { type: ['service'] } });
    const service = await house.create({ Name: 'told' });
    await house.update(service.ID, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 3 } } }));
    const created = await watcher.first(is('service', 'create', 'told'));
    expect(created).toEqual({
      Type: 'service',
      Action: 'create',
      Actor: { ID: service.ID, Attributes: { name: 'told' } },
      scope: 'swarm',
      time: created.time,
      timeNano: created.timeNano,
    });
    expect(Math.floor(created.timeNano / 1e9)).toBe(created.time);
    expect(Math.abs(created.time * 1000 - Date.now())).toBeLessThan(60_000);
    const scaled = await watcher.first(({ Actor }) => Actor.Attributes['replicas.new'] !== undefined);
    expect(scaled).toMatchObject({
      Action: 'update',
      Actor: { ID: service.ID, Attributes: { name: 'told', 'replicas.old': '2', 'replicas.new': '3' } },
    });
    await house.ask('DELETE', `/services/${service.ID}`);
    await watcher.first(is('service', 'remove', 'told'));
    expect(watcher.events.every(({ Type }) => Type === 'service')).toBe(true);
    expect(engineUrls).toEqual([]);
  });

  test('tell of nodes, secrets, configs and tasks', async () => {
    const watcher = await watch({ filters: { scope: ['swarm'] } });
    const [node] = await house.nodes();
    const hostname = node?.Description?.Hostname;
    const secret = { Name: 'key', Data: Buffer.from('cGFzc3dvcmQ').toString('base64') };
    await house.ask('POST', '/secrets/create', { body: secret });
    await house.ask('POST', '/configs/create', { body: { ...secret, Name: 'conf' } });
    await house.ask('POST', '/bale/secrets/key/rotate', { body: { Data: 'AAAA' } });
    await house.ask('DELETE', '/secrets/key');
    await house.ask('DELETE', '/configs/conf');
    await house.create({ Name: 'worked' });
    await watcher.first(
      ({ Actor }) => Actor.Attributes['service.name'] === 'worked' && Actor.Attributes['state.new'] === 'running',
    );
    const spec = { ...node?.Spec, Availability: 'pause' };
    await house.ask('POST', `/nodes/${node?.ID ?? ''}/update?version=${node?.Version.Index ?? 0}`, { body: spec });
    const changed = await watcher.first(({ Type }) => Type === 'node');
    expect(changed.Actor.Attributes).toEqual({
      name: hostname,
      'availability.old': 'active',
      'availability.new': 'pause',
    });
    const ofPayloads = watcher.events.filter(({ Type }) => Type === 'secret' || Type === 'config');
    expect(ofPayloads.map(({ Type, Action, Actor }) => [Type, Action, Actor.Attributes])).toEqual([
      ['secret', 'create', { name: 'key' }],
      ['config', 'create', { name: 'conf' }],
      ['secret', 'update', { name: 'key', 'version.old': '1', 'version.new': '2' }],
      ['secret', 'remove', { name: 'key' }],
      ['config', 'remove', { name: 'conf' }],
    ]);
    const ofTask = watcher.events.filter(
      ({ Type, Actor }) => Type === 'task' && Actor.Attributes['service.name'] === 'worked',
    );
    expect(ofTask[0]).toMatchObject({ Action: 'create' });
    const states = ofTask.flatMap(({ Actor }) => Actor.Attributes['state.new'] ?? []);
    expect(states.at(-1)).toBe('running');
    expect(ofTask.at(-1)?.Actor.Attributes['node.name']).toBe(hostname);
    const now = await house.nodes();
    const back = { ...spec, Availability: 'active' };
    await house.ask('POST', `/nodes/${node?.ID ?? ''}/update?version=${now[0]?.Version.Index ?? 0}`, { body: back });
  });

  test('come with those of the Engine, in one stream', async () => {
    const watcher = await watch();
    expect(watcher.answer.headers['content-type']).toBe('application/json');
    for (const stream of engineStreams) stream.write(engineLine('c1'));
    await watcher.first(is('container', 'start', 'c1'));
    await house.create({ Name: 'beside' });
    await watcher.first(is('service', 'create', 'beside'));
    for (const stream of engineStreams) stream.write(engineLine('c2').slice(0, 30));
    for (const stream of engineStreams) stream.write(engineLine('c2').slice(30));
    await watcher.first(is('container', 'start', 'c2'));
    watcher.hangUp();
    await eventually('the Engine is let go of', () => Promise.resolve(engineStreams.size === 0 ? true : undefined));
  });

  test('of the past come in order of time, whoever remembers them, and the answer ends', async () => {
    const early = Date.parse((await house.create({ Name: 'early' })).CreatedAt);
    const between = await eventually('a later millisecond', () => {
      const now = Date.now();
      return Promise.resolve(now > early + 5 ? now : undefined);
    });
    await eventually('a later millisecond', () => Promise.resolve(Date.now() > between + 5 ? true : undefined));
    await house.create({ Name: 'late' });
    const done = Date.now();
    await eventually('the next second', () =>
      Promise.resolve(Math.floor(Date.now() / 1000) > Math.floor(done / 1000) + 1 ? true : undefined),
    );
    enginePast = [engineLine('old', early - 1000), engineLine('between', between)];
    const until = Math.floor(Date.now() / 1000) - 0.001;
    const watcher = await watch({ since: (early - 2) / 1000, until, filters: { event: ['create', 'start'] } });
    expect(await watcher.ended).toBe('complete');
    const names = watcher.events.map(({ Actor }) => Actor.Attributes.name ?? '');
    const shown = names.filter((name) => ['old', 'early', 'between', 'late'].includes(name));
    expect(shown).toEqual(['old', 'early', 'between', 'late']);
    expect(engineUrls[0]).toContain('/v1.41/events?since=');
  });

  test('go on while the Engine is away, and take it up again when it is back', async () => {
    const watcher = await watch();
    for (const stream of engineStreams) stream.destroy();
    await house.create({ Name: 'alone' });
    await watcher.first(is('service', 'create', 'alone'));
    await eventually('the Engine is asked again', () => Promise.resolve(engineStreams.size > 0 ? true : undefined));
    expect(engineUrls.at(-1)).toMatch(/since=\d+\.\d{3}/);
    for (const stream of engineStreams) stream.write(engineLine('again'));
    await watcher.first(is('container', 'start', 'again'));
  });

  test('end at the time that was asked for', async () => {
    const watcher = await watch({ until: (Date.now() + 300) / 1000, filters: { scope: ['swarm'] } });
    expect(await watcher.ended).toBe('complete');
  });

  test('are the answer of the Engine alone when only those are asked for', async () => {
    const watcher = await watch({ filters: { type: ['container'] } });
    await house.create({ Name: 'unseen' });
    for (const stream of engineStreams) stream.write(engineLine('seen'));
    await watcher.first(is('container', 'start', 'seen'));
    expect(watcher.events).toHaveLength(1);
    expect(decodeURIComponent(engineUrls[0] ?? '')).toBe('/v1.41/events?filters={"type":["container"]}');
  });

  test('are refused as the Engine refuses them', async () => {
    house.cluster.engine.behave = (_request, response) => {
      response.writeHead(418, { 'Content-Type': 'application/json' }).end('{"message":"no"}\n');
    };
    expect(refusalOf(await house.ask('GET', '/events'))).toEqual({ status: 418, message: 'no' });
  });

  test.each([
    [{ since: 'soon' }, /^since: "soon" is not a time/],
    [{ until: '1e3' }, /^until: "1e3" is not a time/],
    [{ since: 10, until: 5 }, /^`since` time \(10\) cannot be after `until` time \(5\)$/],
    [{ filters: 'nonsense' }, /^invalid filters: /],
  ])('are refused for %o', async (query, message) => {
    const { status, message: said } = refusalOf(await house.ask('GET', `/events${queryText(query)}`));
    expect(status).toBe(400);
    expect(said).toMatch(message);
  });

  test('are refused for a version that is not served', async () => {
    expect(refusalOf(await house.ask('GET', '/v9.99/events')).status).toBe(400);
  });
});

describe('many watchers', () => {
  const WATCHERS = 500;

  test('each see every event, also those of them that never read', { timeout: 60_000 }, async () => {
    const filters = { type: ['service'] };
    const idle = await Promise.all(Array.from({ length: 10 }, () => watch({ filters })));
    for (const { answer } of idle) answer.pause();
    const watchers = await Promise.all(Array.from({ length: WATCHERS }, () => watch({ filters })));
    const names = ['many-1', 'many-2', 'many-3'];
    for (const Name of names) await house.create({ Name });
    await Promise.all(watchers.flatMap((one) => names.map((name) => one.first(is('service', 'create', name)))));
    for (const { answer } of idle) answer.resume();
    await Promise.all(idle.map((one) => one.first(is('service', 'create', 'many-3'))));
    for (const one of [...watchers, ...idle]) one.hangUp();
  });

  test('of the same question share one connection to the Engine, until the last of them goes', async () => {
    const same = await Promise.all(Array.from({ length: 100 }, () => watch()));
    const other = await watch({ filters: { event: ['start'] } });
    const past = await watch({ since: Math.floor(Date.now() / 1000) });
    expect(engineUrls.toSorted()).toEqual([
      '/v1.41/events',
      expect.stringMatching(/\?filters=/),
      expect.stringMatching(/\?since=/),
    ]);
    for (const stream of engineStreams) stream.write(engineLine('one'));
    await Promise.all([...same, other, past].map((each) => each.first(is('container', 'start', 'one'))));
    const [last, ...rest] = same;
    for (const each of [...rest, other, past]) each.hangUp();
    await eventually('the other questions are over', () => Promise.resolve(engineStreams.size === 1 || undefined));
    for (const stream of engineStreams) stream.write(engineLine('two'));
    await last?.first(is('container', 'start', 'two'));
    expect(last?.events.filter(is('container', 'start', 'one'))).toHaveLength(1);
    last?.hangUp();
    await eventually('the Engine is let go of', () => Promise.resolve(engineStreams.size === 0 || undefined));
    // The next one begins anew.
    const next = await watch();
    for (const stream of engineStreams) stream.write(engineLine('three'));
    await next.first(is('container', 'start', 'three'));
    expect(engineUrls).toHaveLength(4);
  });

  test('of the same question lose nothing by one of them that does not read', { timeout: 60_000 }, async () => {
    const stuck = await watch();
    stuck.answer.pause();
    const readers = await Promise.all([watch(), watch()]);
    const [stream, ...more] = engineStreams;
    expect(more).toEqual([]);
    const flood = engineLine('x'.repeat(1_000)).repeat(400);
    for (let number = 0; number * flood.length < 12_000_000; number += 1) {
      stream?.write(flood + engineLine(`mark${number}`));
      await Promise.all(readers.map((each) => each.first(is('container', 'start', `mark${number}`))));
    }
    stuck.answer.resume();
    expect(await stuck.ended).toBe('broken');
    expect(stuck.events.at(-1)).toMatchObject({ Type: 'daemon', Action: 'overrun' });
    expect(engineStreams.size).toBe(1);
  });

  test(
    'of one that does not read nobody else takes notice, and it is told why it was cut off',
    { timeout: 60_000 },
    async () => {
      const stuck = await watch();
      stuck.answer.pause();
      const reader = await watch({ filters: { type: ['service'] } });
      const [stream] = engineStreams;
      const flood = engineLine('x'.repeat(1_000)).repeat(100);
      for (let sent = 0; sent < 12_000_000; sent += flood.length) stream?.write(flood);
      await eventually('it was given up', () => Promise.resolve(engineStreams.size === 0 ? true : undefined));
      await house.create({ Name: 'calm' });
      await reader.first(is('service', 'create', 'calm'));
      stuck.answer.resume();
      expect(await stuck.ended).toBe('broken');
      const last = stuck.events.at(-1);
      expect([last?.Type, last?.Action]).toEqual(['daemon', 'overrun']);
      expect(last?.Actor.Attributes.error).toMatch(/did not read/);
    },
  );
});
