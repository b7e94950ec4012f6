import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LinkEvents } from '../../agent/mesh/datagram-link.js';
import { InFlight } from '../../agent/mesh/in-flight.js';
import { createMeshLogger } from '../../agent/mesh/mesh-logger.js';
import { Routes } from '../../agent/mesh/routes.js';
import { UdpPorts } from '../../agent/mesh/udp-ports.js';
import type { UdpSuccessor } from '../../agent/mesh/udp-succession.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import { FakeClock } from '../support/fake-clock.js';
import { endpointTable, loopback, publishedPort } from '../support/mesh-node.js';
import { UdpClient } from '../support/udp-replica.js';

/** What a link to an endpoint was told, and how it can answer. */
interface OpenedLink {
  readonly taskId: string;
  readonly events: LinkEvents;
  readonly sent: string[];
  isClosed: boolean;
}

/** Counts how often a port asks for its route: once for each datagram that it reads. */
class CountedRoutes extends Routes {
  #asked = 0;
  #wake: () => void = () => undefined;

  override get(...port: Parameters<Routes['get']>): ReturnType<Routes['get']> {
    this.#asked += 1;
    // The port uses the answer in the same turn.
    setImmediate(this.#wake);
    return super.get(...port);
  }

  async untilAsked(times: number): Promise<void> {
    while (this.#asked < times) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    await new Promise(setImmediate);
  }
}

let address: string;
let clock: FakeClock;
let inFlight: InFlight;
let routes: CountedRoutes;
let ports: UdpPorts;
let links: OpenedLink[];
let clients: UdpClient[];
let arrived: () => void;

const newPorts = (): UdpPorts =>
  new UdpPorts({
    host: address,
    budget: 2_000,
    clock,
    logger: createMeshLogger('silent'),
    routes,
    onChange: () => undefined,
    open: ({ taskId }, events) => {
      const link: OpenedLink = { taskId, events, sent: [], isClosed: false };
      links.push(link);
      return {
        send: (datagram) => {
          link.sent.push(datagram.toString());
          arrived();
        },
        close: () => {
          link.isClosed = true;
        },
      };
    },
  });

beforeEach(() => {
  address = loopback();
  clock = new FakeClock();
  inFlight = new InFlight(() => undefined);
  routes = new CountedRoutes({ nodeId: 'node1', inFlight, now: () => clock.now() });
  ports = newPorts();
  links = [];
  clients = [];
  arrived = () => undefined;
});

afterEach(() => {
  ports.close();
  for (const client of clients) client.close();
});

const endpoint = (taskId: string, state: Endpoint['state'] = 'active'): Endpoint => ({
  taskId,
  nodeId: 'node1',
  targetPort: 53,
  state,
});

async function publish(...endpoints: readonly Endpoint[]): Promise<void> {
  routes.apply(endpointTable('cluster', [], [publishedPort(endpoints, { protocol: 'udp', udpTimeout: 30_000 })]));
  await ports.apply(routes.publishedPorts('udp'), []);
}

async function client(): Promise<UdpClient> {
  const made = await UdpClient.open(address);
  clients.push(made);
  return made;
}

/** Resolves once the port has passed it on; gives the link it took. */
async function send(from: UdpClient, text: string): Promise<OpenedLink> {
  const passed = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  from.send(text);
  await passed;
  const link = links.find(({ sent }) => sent.at(-1) === text);
  if (link === undefined) throw new Error(`${text} went nowhere`);
  return link;
}

const answer = (link: OpenedLink, text: string): void => {
  link.events.onDatagram(Buffer.from(text));
};

describe('a session', () => {
  test('ends when nothing passed either way for the timeout of the port', async () => {
    await publish(endpoint('task1'));
    const asking = await client();
    const link = await send(asking, 'one');
    await clock.advance(20_000);
    answer(link, 'late');
    await clock.advance(29_000);
    expect(link.isClosed).toBe(false);
    await clock.advance(2_000);
    expect(link.isClosed).toBe(true);
    expect(ports.open).toBe(0);
    expect(await send(asking, 'two')).not.toBe(link);
  });

  test('counts as in flight until it was answered, and again with each datagram', async () => {
    await publish(endpoint('task1'));
    const asking = await client();
    const link = await send(asking, 'one');
    expect(inFlight.total()).toBe(1);
    answer(link, 'answer');
    await clock.advance(200);
    expect(inFlight.total()).toBe(0);
    await send(asking, 'two');
    expect(inFlight.total()).toBe(1);
    await clock.advance(2_100);
    expect(inFlight.total()).toBe(0);
  });

  test('of a client that never pauses moves after a second of draining; the answers it is owed still come', async () => {
    await publish(endpoint('task1'));
    const asking = await client();
    const old = await send(asking, 'one');
    await publish(endpoint('task1', 'draining'), endpoint('task2'));
    expect(await send(asking, 'two')).toBe(old);
    await clock.advance(1_000);
    const fresh = await send(asking, 'three');
    expect(fresh.taskId).toBe('task2');
    expect(inFlight.watched()).toEqual({ task1: 1 });
    answer(old, 'to two');
    expect((await asking.next()).toString()).toBe('to two');
    answer(old, 'to one');
    await clock.advance(200);
    expect(old.isClosed).toBe(true);
    expect(inFlight.watched()).toEqual({});
  });

  test('whose endpoint never stops talking is not relayed for ever once it was replaced', async () => {
    await publish(endpoint('task1'));
    const asking = await client();
    const old = await send(asking, 'one');
    answer(old, 'answer');
    await publish(endpoint('task1', 'draining'), endpoint('task2'));
    await send(asking, 'two');
    for (let told = 0; told < 60 && !old.isClosed; told += 1) {
      answer(old, 'news');
      await clock.advance(50);
    }
    expect(old.isClosed).toBe(true);
  });

  test('whose way is about to end is replaced with the next datagram', async () => {
    await publish(endpoint('task1'));
    const asking = await client();
    const old = await send(asking, 'one');
    old.events.onEnding();
    const fresh = await send(asking, 'two');
    expect(fresh).not.toBe(old);
    answer(old, 'to one');
    expect((await asking.next()).toString()).toBe('to one');
  });

  test('that is refused everywhere tries three endpoints before it pauses', async () => {
    await publish(endpoint('task1'), endpoint('task2'), endpoint('task3'), endpoint('task4'));
    const asking = await client();
    await send(asking, 'one');
    // Each refusal adds the next.
    for (const link of links) link.events.onRefused();
    expect(links.map(({ taskId }) => taskId)).toEqual(['task1', 'task2', 'task3']);
    expect(ports.open).toBe(0);
    expect(inFlight.total()).toBe(0);
    expect((await send(asking, 'two')).taskId).toBe('task4');
  });

  test('that is refused everywhere begins again after a pause, as long as a connection is dialled', async () => {
    await publish(endpoint('task1'));
    const asking = await client();
    (await send(asking, 'one')).events.onRefused();
    await clock.advance(50);
    expect(links.map(({ sent }) => sent)).toEqual([['one'], ['one']]);
    links[1]?.events.onRefused();
    await clock.advance(100);
    expect(inFlight.total()).toBe(1);
    for (const link of links.slice(2)) answer(link, 'answer');
    expect((await asking.next()).toString()).toBe('answer');
    const last = await send(asking, 'two');
    let tries = 0;
    for (let link: OpenedLink | undefined = last; link !== undefined; link = links.find((each) => !each.isClosed)) {
      tries += 1;
      link.events.onRefused();
      await clock.advance(500);
    }
    expect(tries).toBeGreaterThan(3);
    expect([ports.open, inFlight.total()]).toEqual([0, 0]);
  });

  test('that is refused takes the last datagrams with it, in the order in which they came', async () => {
    await publish(endpoint('task1'), endpoint('task2'));
    const asking = await client();
    const texts = ['one', 'two', 'three', 'four', 'five'];
    for (const text of texts) await send(asking, text);
    links[0]?.events.onRefused();
    expect(links.map(({ taskId, sent }) => [taskId, sent])).toEqual([
      ['task1', texts],
      ['task2', texts.slice(1)],
    ]);
  });
});

describe('datagrams without an endpoint', () => {
  test('wait for one while the service starts a replica, in the order in which they came', async () => {
    await publish(endpoint('task1', 'draining'));
    const asking = await client();
    for (const [index, text] of ['one', 'two', ''].entries()) {
      asking.send(text);
      await routes.untilAsked(index + 1);
    }
    await publish();
    const passed = new Promise<void>((resolve) => {
      arrived = () => {
        if (links[0]?.sent.length === 3) resolve();
      };
    });
    await publish(endpoint('task2'));
    await passed;
    expect(links.map(({ taskId, sent }) => [taskId, sent])).toEqual([['task2', ['one', 'two', '']]]);
  });

  test('are dropped after the time that the service lets new work wait', async () => {
    await publish();
    const asking = await client();
    asking.send('late');
    await routes.untilAsked(1);
    await clock.advance(2_500);
    await publish(endpoint('task1'));
    expect((await send(asking, 'two')).sent).toEqual(['two']);
  });
});

describe('a port that another process took over', () => {
  const successor = (): UdpSuccessor & { readonly told: string[] } => {
    const told: string[] = [];
    return {
      told,
      answer: (datagram, { port }) => told.push(`answer ${datagram.toString()} to ${port}`),
      serve: (datagram, { port }) => told.push(`serve ${datagram.toString()} of ${port}`),
    };
  };

  test('passes on what clients are owed, and what was refused, by that process; then it is over', async () => {
    await publish(endpoint('task1'), endpoint('task2'));
    const [a, b] = [await client(), await client()];
    const [one, two] = [await send(a, 'one'), await send(b, 'two')];
    const next = successor();
    ports.handOver({ publishedPort: 8080 }, next);
    expect(ports.release()).toEqual([]);
    expect(ports.isServing).toBe(false);
    answer(one, 'to one');
    two.events.onRefused();
    expect(next.told).toEqual([`answer to one to ${a.port}`, `serve two of ${b.port}`]);
    expect(inFlight.total()).toBe(1);
    await clock.advance(200);
    expect(one.isClosed).toBe(true);
    expect([ports.open, inFlight.total()]).toEqual([0, 0]);
  });

  test('leaves to it to tell that the node has no address for a port', async () => {
    await ports.apply([{ publishedPort: 8080, listenOn: '203.0.113.7' }], []);
    expect(ports.errors()).toMatchObject([{ publishedPort: 8080, notice: true }]);
    expect(ports.release()).toEqual([]);
    expect(ports.errors()).toEqual([]);
  });

  test('leaves to it what waits for an endpoint', async () => {
    await publish(endpoint('task1', 'draining'));
    const asking = await client();
    asking.send('early');
    await routes.untilAsked(1);
    const next = successor();
    ports.handOver({ publishedPort: 8080 }, next);
    expect(next.told).toEqual([`serve early of ${asking.port}`]);
    await publish(endpoint('task2'));
    expect((await send(asking, 'now')).sent).toEqual(['now']);
  });

  test('leaves to it what every endpoint refused so far', async () => {
    await publish(endpoint('task1'));
    const asking = await client();
    (await send(asking, 'one')).events.onRefused();
    const next = successor();
    ports.handOver({ publishedPort: 8080 }, next);
    await clock.advance(1_000);
    expect(next.told).toEqual([`serve one of ${asking.port}`]);
    expect(links).toHaveLength(1);
  });
});

test('a socket that another process bound and handed over is served, with what waited in it', async () => {
  routes.apply(endpointTable('cluster', [], [publishedPort([endpoint('task1')], { protocol: 'udp' })]));
  const { child, socket } = await socketOfChild();
  const asking = await client();
  const passed = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  asking.send('one');
  ports.adopt([{ publishedPort: 8080, socket }]);
  await ports.apply(routes.publishedPorts('udp'), []);
  expect(ports.errors()).toEqual([]);
  await passed;
  expect(links[0]?.sent).toEqual(['one']);
  expect(ports.release().map(({ publishedPort }) => publishedPort)).toEqual([8080]);
  for (const link of links) answer(link, 'to one');
  expect((await asking.next()).toString()).toBe('to one');
  child.kill();
});

const CHILD = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.bind({ port: 8080, address: process.env.ADDRESS, exclusive: true }, () => {
    process.send('socket', socket, () => socket.close());
  });
`;

async function socketOfChild(): Promise<{ readonly child: ChildProcess; readonly socket: Socket }> {
  const child = spawn(process.execPath, ['-e', CHILD], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ADDRESS: address },
  });
  const socket = await new Promise<Socket>((resolve, reject) => {
    child.once('message', (_message, handle) => {
      if (handle instanceof Socket) resolve(handle);
      else reject(new Error('the child sent no socket'));
    });
    child.once('exit', () => {
      reject(new Error('the child ended'));
    });
  });
  return { child, socket };
}
