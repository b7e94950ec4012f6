import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { ask, makeSwarm, runningTasks, SteadyLoad } from '../support/swarm-session.js';
import type { TestHost } from '../support/test-host.js';
import { TEST_IMAGE } from '../support/test-image.js';

const PORT = 8080;

describe('mesh processes that are replaced under load on all nodes', () => {
  let hosts: Hosts;

  beforeAll(async () => {
    hosts = await startHosts(3);
    await makeSwarm(hosts);
    await hosts
      .host(1)
      .bale('service', 'create', '-d', '--name', 'web', '--replicas', '6', '-p', `${PORT}:80`, TEST_IMAGE);
    await runningTasks(hosts.host(1), 'web', 6);
    for (const { address } of hosts.all)
      await eventually('the port', async () => (await ask(address, PORT)).status === 200);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  const meshPids = async (host: TestHost): Promise<readonly number[]> =>
    (await host.baleProcesses()).filter(({ command }) => command.includes(' mesh --config ')).map(({ pid }) => pid);

  test('not one request fails, and the old processes end', async () => {
    const targets = hosts.all.map(({ address }) => ({ address, port: PORT }));
    const loads = [new SteadyLoad(targets, true), new SteadyLoad(targets, false)];
    try {
      for (const host of hosts.all) {
        const before = await meshPids(host);
        expect(before).toHaveLength(1);
        process.kill(host.daemonPid, 'SIGUSR2');
        await eventually(
          `${host.name} to have one fresh mesh process`,
          async () => {
            const now = await meshPids(host);
            return now.length === 1 && now[0] !== before[0];
          },
          { seconds: 60 },
        );
      }
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    for (const load of loads) expect(load.failures).toEqual([]);
  });
});
