import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { ask, makeSwarm, runningTasks, serviceOf, SteadyLoad } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

const HTTP_PORT = 8081;
const TCP_PORT = 8082;

/** One replica that is stopped before its successor starts: for a while nobody serves. */
describe('a service of a single replica', () => {
  let hosts: Hosts;

  beforeAll(async () => {
    hosts = await startHosts(3);
    await makeSwarm(hosts);
    const solo = ['service', 'create', '-d', '--replicas', '1', '--update-order', 'stop-first'];
    const bale = (...argv: string[]): Promise<unknown> => hosts.host(1).bale(...argv);
    await bale(...solo, '--update-monitor', '1s', '--name', 'web', '-p', `${HTTP_PORT}:80`, TEST_IMAGE);
    const label = ['--label', 'bale.port.80.protocol=tcp'];
    await bale(...solo, '--update-monitor', '1s', '--name', 'raw', '-p', `${TCP_PORT}:80`, ...label, TEST_IMAGE);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  test('answers the first clients as soon as its first replica runs', async () => {
    const answers = hosts.all.map(({ address }) =>
      eventually('the port', async () => (await ask(address, HTTP_PORT)).status === 200),
    );
    await Promise.all(answers);
    await runningTasks(hosts.host(1), 'raw', 1);
  });

  test.each(['web', 'raw'] as const)('fails nobody while it is replaced, stop first (%s)', async (name) => {
    const port = name === 'web' ? HTTP_PORT : TCP_PORT;
    const targets = hosts.all.map(({ address }) => ({ address, port }));
    for (const { address } of hosts.all) await eventually('the port', async () => (await ask(address, port)).status);
    const before = new Set((await runningTasks(hosts.host(1), name, 1)).map(({ ID }) => ID));
    // A client that keeps its connection of a tcp port keeps its replica too, until the deadline.
    const loads = [new SteadyLoad(targets, false), ...(name === 'web' ? [new SteadyLoad(targets, true)] : [])];
    try {
      await hosts.host(1).bale('service', 'update', '-d', '--env-add', 'ROUND=1', name);
      await eventually(
        'the update to be completed',
        async () => (await serviceOf(hosts.host(1), name)).UpdateStatus?.State === 'completed',
        { seconds: 120 },
      );
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    for (const load of loads) expect(load.failures).toEqual([]);
    const after = await runningTasks(hosts.host(1), name, 1);
    expect(after.filter(({ ID }) => before.has(ID))).toEqual([]);
  });

  test('scaled to 0 refuses at once and says so', async () => {
    await hosts.host(1).bale('service', 'scale', '-d', 'web=0');
    for (const { address } of hosts.all) {
      await eventually('the refusal', async () => {
        const began = performance.now();
        const { status, text } = await ask(address, HTTP_PORT);
        const told = text === `bale: service web, port ${HTTP_PORT}: it is scaled to 0`;
        return status === 503 && told && performance.now() - began < 1_000;
      });
    }
  });
});
