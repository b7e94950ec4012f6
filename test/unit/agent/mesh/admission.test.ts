import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Admission } from '../../../../agent/mesh/admission.js';
import { Ejections } from '../../../../agent/mesh/ejections.js';
import { InFlight } from '../../../../agent/mesh/in-flight.js';
import { Route } from '../../../../agent/mesh/route.js';
import type { Logger } from '../../../../core/logger.js';
import { publishedPort } from '../../../support/mesh-node.js';

const route = (maxConnections?: number): Route =>
  new Route(publishedPort([], maxConnections === undefined ? {} : { maxConnections }), {
    inFlight: new InFlight(() => undefined),
    ejections: new Ejections(),
    now: () => 0,
    start: 0,
  });

function setUp(most: number): { admission: Admission; lines: object[]; clock: { now: number } } {
  const lines: object[] = [];
  const clock = { now: 0 };
  const ignore = (): void => undefined;
  const warn = (details: object | string): void => {
    lines.push(typeof details === 'string' ? { details } : details);
  };
  const logger: Logger = { debug: ignore, info: ignore, warn, error: ignore, child: () => logger };
  return { admission: new Admission({ most, now: () => clock.now, logger }), lines, clock };
}

describe('admission', () => {
  test('at the limit of a port the connection that was idle for the longest makes room', () => {
    const { admission } = setUp(100);
    const port = route(2);
    const [first, second, third, fourth] = [new Socket(), new Socket(), new Socket(), new Socket()];
    expect([first, second].map((client) => admission.enter(client, port))).toEqual([true, true]);
    // A request of the first was answered meanwhile.
    admission.busy(first);
    admission.idle(first);
    expect(admission.enter(third, port)).toBe(true);
    expect([first, second, third].map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
    admission.busy(first);
    admission.busy(third);
    expect(admission.enter(fourth, port)).toBe(false);
    expect(admission.open).toBe(2);
  });

  test('ports do not take room from each other, but all together have a limit', () => {
    const { admission } = setUp(4);
    const ports = [route(), route(), route()];
    const busy = (port: Route | undefined): boolean => {
      const client = new Socket();
      const entered = port !== undefined && admission.enter(client, port);
      admission.busy(client);
      return entered;
    };
    // Half of all for one port.
    expect([busy(ports[0]), busy(ports[0]), busy(ports[0])]).toEqual([true, true, false]);
    expect([busy(ports[1]), busy(ports[1]), busy(ports[2])]).toEqual([true, true, false]);
  });

  test('a connection that closed is no longer counted, once', async () => {
    const { admission } = setUp(100);
    const port = route(1);
    const client = new Socket();
    admission.enter(client, port);
    admission.busy(client);
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.destroy();
    await closed;
    expect(admission.open).toBe(0);
    admission.idle(client);
    expect(admission.enter(new Socket(), port)).toBe(true);
    expect(admission.open).toBe(1);
  });

  test('refusals are logged once per period, with how many there were', () => {
    const { admission, lines, clock } = setUp(100);
    const port = route(1);
    const client = new Socket();
    admission.enter(client, port);
    admission.busy(client);
    for (let index = 0; index < 5; index += 1) admission.enter(new Socket(), port);
    clock.now = 10_000;
    admission.enter(new Socket(), port);
    expect(lines).toEqual([
      { publishedPort: 8080, limit: 1, refused: 1 },
      { publishedPort: 8080, limit: 1, refused: 5 },
    ]);
  });
});
