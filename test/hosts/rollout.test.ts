import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { ask, makeSwarm, nodeNamed, runningTasks, serviceOf, SteadyLoad, tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

const PORT = 8080;

/** Every planned change under load on all nodes at once: not one request may fail. */
describe('planned changes drop nothing', () => {
  let hosts: Hosts;

  beforeAll(async () => {
    hosts = await startHosts(3);
    await makeSwarm(hosts);
    const create = ['service', 'create', '-d', '--name', 'web', '--replicas', '6', '-p', `${PORT}:80`];
    const update = ['--update-parallelism', '2', '--update-monitor', '1s'];
    const rollback = ['--rollback-parallelism', '2', '--rollback-monitor', '1s'];
    await hosts.host(1).bale(...create, ...update, ...rollback, TEST_IMAGE);
    await runningTasks(hosts.host(1), 'web', 6);
    for (const { address } of hosts.all)
      await eventually('the port', async () => (await ask(address, PORT)).status === 200);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  async function underLoad(change: () => Promise<unknown>): Promise<void> {
    const targets = hosts.all.map(({ address }) => ({ address, port: PORT }));
    const loads = [new SteadyLoad(targets, true), new SteadyLoad(targets, false)];
    try {
      await change();
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    for (const load of loads) expect(load.failures).toEqual([]);
  }

  const updateState = (state: string) =>
    eventually(
      `the update to be ${state}`,
      async () => (await serviceOf(hosts.host(1), 'web')).UpdateStatus?.State === state,
      { seconds: 180 },
    );

  test('a rolling update', async () => {
    const before = new Set((await runningTasks(hosts.host(1), 'web', 6)).map(({ ID }) => ID));
    await underLoad(async () => {
      await hosts.host(1).bale('service', 'update', '-d', '--env-add', 'ROUND=1', 'web');
      await updateState('completed');
    });
    const after = await runningTasks(hosts.host(1), 'web', 6);
    expect(after.filter(({ ID }) => before.has(ID))).toEqual([]);
  });

  test('a rollback', async () => {
    await underLoad(async () => {
      await hosts.host(1).bale('service', 'rollback', '-d', 'web');
      await updateState('rollback_completed');
    });
    await runningTasks(hosts.host(1), 'web', 6);
  });

  test('scaling down and up', async () => {
    await underLoad(async () => {
      await hosts.host(1).bale('service', 'scale', '-d', 'web=2');
      await eventually(
        'two tasks in all',
        async () =>
          (await tasksOf(hosts.host(1), 'web')).filter(({ DesiredState }) => DesiredState === 'running').length === 2,
        { seconds: 60 },
      );
      await runningTasks(hosts.host(1), 'web', 2);
      await hosts.host(1).bale('service', 'scale', '-d', 'web=6');
      await runningTasks(hosts.host(1), 'web', 6);
    });
  });

  test('draining a node and taking it back', async () => {
    const drained = await nodeNamed(hosts.host(1), 'h2');
    await underLoad(async () => {
      await hosts.host(1).bale('node', 'update', '--availability', 'drain', 'h2');
      await eventually(
        'nothing to run on the drained node',
        async () => {
          const running = await runningTasks(hosts.host(1), 'web', 6);
          return running.every(({ NodeID }) => NodeID !== drained.ID);
        },
        { seconds: 90 },
      );
    });
    await hosts.host(1).bale('node', 'update', '--availability', 'active', 'h2');
  });

  test('an image that does not start pauses the rollout, says why, and the service goes on', async () => {
    await underLoad(async () => {
      await hosts.host(1).bale('service', 'update', '-d', '--image', 'no-such-image:1', 'web');
      await updateState('paused');
    });
    const { UpdateStatus } = await serviceOf(hosts.host(1), 'web');
    expect(UpdateStatus?.Message).toMatch(/no-such-image|update paused due to failure/i);
  });
});
