import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Connector, isConnected, type Connection } from '../../../../agent/mesh/connector.js';
import { DialError } from '../../../../agent/mesh/dial-error.js';
import { Ejections } from '../../../../agent/mesh/ejections.js';
import { InFlight } from '../../../../agent/mesh/in-flight.js';
import { Route } from '../../../../agent/mesh/route.js';
import type { Endpoint } from '../../../../proto/endpoint-table.js';
import { publishedPort } from '../../../support/mesh-node.js';

const endpoints = (...taskIds: string[]): Endpoint[] =>
  taskIds.map((taskId) => ({ taskId, nodeId: 'node1', targetPort: 80, state: 'active' }));

interface SetUp {
  readonly inFlight: InFlight;
  readonly route: Route;
  readonly connector: Connector;
  readonly dialled: string[];
}

function setUp(
  taskIds: readonly string[],
  live: ReadonlySet<string>,
  limits = { budget: 60_000, mostWaiting: 10 },
): SetUp {
  const inFlight = new InFlight(() => undefined);
  const route = new Route(publishedPort(endpoints(...taskIds)), {
    inFlight,
    ejections: new Ejections(),
    // What refused stays passed over, however long a test takes.
    now: () => 0,
    start: 0,
  });
  const dialled: string[] = [];
  const connector = new Connector({
    ...limits,
    dial: ({ taskId }) => {
      dialled.push(taskId);
      return live.has(taskId)
        ? Promise.resolve(new Socket().on('error', () => undefined))
        : Promise.reject(new DialError('refused', `${taskId} refused`));
    },
  });
  return { inFlight, route, connector, dialled };
}

class Client extends EventEmitter {
  destroyed = false;

  leave(): void {
    this.destroyed = true;
    this.emit('close');
  }
}
const client = (): Client => new Client();
const taskOf = (connection: Connection): string | undefined =>
  isConnected(connection) ? connection.lease.endpoint.taskId : undefined;

describe('connector', () => {
  test('tries up to three distinct endpoints before it pauses', async () => {
    const { connector, route, dialled } = setUp(['a', 'b', 'c', 'd'], new Set(['d']));
    expect(taskOf(await connector.connect(route, client()))).toBe('d');
    expect(dialled).toEqual(['a', 'b', 'c', 'd']);
  });

  test('after a time-out it turns to other nodes, also in later rounds; after a refusal it need not', async () => {
    const failure = new Map<string, 'timeout' | 'refused'>();
    const dialled: string[] = [];
    const { route } = setUp([], new Set());
    const table = [
      ['a', 'stalled'],
      ['b', 'stalled'],
      ['c', 'stalled'],
      ['d', 'well'],
      ['e', 'well'],
    ] as const;
    route.update(publishedPort(table.map(([taskId, nodeId]) => ({ taskId, nodeId, targetPort: 80, state: 'active' }))));
    const connector = new Connector({
      budget: 60_000,
      mostWaiting: 10,
      dial: ({ taskId, nodeId }) => {
        dialled.push(taskId);
        // In the second round.
        if (dialled.length > 3 && nodeId === 'well') return Promise.resolve(new Socket());
        return Promise.reject(new DialError(failure.get(taskId) ?? 'refused', taskId));
      },
    });
    failure.set('a', 'timeout');
    expect(taskOf(await connector.connect(route, client()))).toBe('d');
    expect(dialled).toEqual(['a', 'd', 'e', 'd']);
  });

  test('holds what a refusing service gets until the budget is used up, then says why', async () => {
    const { connector, route, inFlight } = setUp(['a'], new Set(), { budget: 200, mostWaiting: 10 });
    const began = performance.now();
    expect(await connector.connect(route, client())).toEqual({ failure: 'refused', message: 'a refused' });
    expect(performance.now() - began).toBeGreaterThanOrEqual(190);
    expect(inFlight.total()).toBe(0);
  });

  test('a replica that appears meanwhile is used at once', async () => {
    const { connector, route } = setUp([], new Set(['new']));
    const connecting = connector.connect(route, client());
    route.update(publishedPort(endpoints('new')));
    expect(taskOf(await connecting)).toBe('new');
  });

  test('only so many wait: the others are refused at once', async () => {
    const { connector, route } = setUp([], new Set(['new']), { budget: 60_000, mostWaiting: 2 });
    const waiting = connector.connect(route, client());
    // It waits from the next turn of its own.
    await Promise.resolve();
    await Promise.resolve();
    expect(await connector.connect(route, client())).toMatchObject({ failure: 'none' });
    route.update(publishedPort(endpoints('new')));
    expect(taskOf(await waiting)).toBe('new');
  });

  test('what was dialled for a client that is gone is closed and given back', async () => {
    const { connector, route, inFlight } = setUp(['a'], new Set(['a']));
    const gone = client();
    const connecting = connector.connect(route, gone);
    gone.leave();
    expect(isConnected(await connecting)).toBe(false);
    expect(inFlight.total()).toBe(0);
  });

  test('a client that goes while it waits leaves its seat at once', async () => {
    const { connector, route } = setUp([], new Set());
    const gone = client();
    const connecting = connector.connect(route, gone);
    expect(connector.waiting).toBe(1);
    gone.leave();
    expect(isConnected(await connecting)).toBe(false);
    expect(connector.waiting).toBe(0);
  });

  test('one port takes at most half of the seats', async () => {
    const limits = { budget: 60_000, mostWaiting: 4 };
    const { connector, route, inFlight } = setUp([], new Set(), limits);
    const other = new Route(publishedPort([]), { inFlight, ejections: new Ejections(), now: () => 0, start: 0 });
    const clients = [client(), client(), client(), client()];
    const [a, b, c, d] = clients.map((each, index) => connector.connect(index === 3 ? other : route, each));
    expect(await c).toEqual({
      failure: 'none',
      message: 'it has no running replica, and too many clients wait for one already',
    });
    expect(connector.waiting).toBe(3);
    for (const each of clients) each.leave();
    await Promise.all([a, b, d]);
    expect(connector.waiting).toBe(0);
  });

  test('a replica that drains is not dialled, not even with a lease that was taken before', async () => {
    const { connector, route, dialled, inFlight } = setUp(['old'], new Set(['old', 'new']));
    const lease = route.claim();
    route.update(publishedPort(endpoints('old').map((each) => ({ ...each, state: 'draining' }))));
    const connecting = connector.connect(route, client(), { lease });
    expect(inFlight.total()).toBe(0);
    route.update(publishedPort(endpoints('new')));
    expect(taskOf(await connecting)).toBe('new');
    expect(dialled).toEqual(['new']);
  });

  test('after a wait a replica gets the whole budget', async () => {
    const { route } = setUp([], new Set());
    let dials = 0;
    const connector = new Connector({
      budget: 400,
      mostWaiting: 10,
      dial: () => {
        dials += 1;
        // It refuses at first.
        return dials === 1
          ? Promise.reject(new DialError('refused', 'not yet'))
          : Promise.resolve(new Socket().on('error', () => undefined));
      },
    });
    const hold = { ms: 60_000, reason: '' };
    route.update(publishedPort([], { hold }));
    const connecting = connector.connect(route, client());
    await new Promise((resolve) => setTimeout(resolve, 450));
    route.update(publishedPort(endpoints('new'), { hold }));
    expect(taskOf(await connecting)).toBe('new');
  });

  test('an endpoint that refused is passed over by the next connections, but not when it is the last', async () => {
    const live = new Set(['b', 'c']);
    const { connector, route, dialled } = setUp(['a', 'b', 'c'], live);
    for (let index = 0; index < 7; index += 1) await connector.connect(route, client());
    expect(dialled.filter((taskId) => taskId === 'a')).toEqual(['a']);
    route.update(publishedPort(endpoints('a')));
    live.add('a');
    expect(taskOf(await connector.connect(route, client()))).toBe('a');
  });
});
