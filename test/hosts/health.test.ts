import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { ask, makeSwarm, nodesOf, runningTasks, SteadyLoad, tasksOf } from '../support/swarm-session.js';
import type { TestHost } from '../support/test-host.js';
import { TEST_IMAGE } from '../support/test-image.js';

const PORT = 8080;

/** Health checks on real Engines, which themselves look only after a whole interval. */
describe('health checks', () => {
  let hosts: Hosts;
  let manager: TestHost;

  beforeAll(async () => {
    hosts = await startHosts(3);
    manager = hosts.host(1);
    await makeSwarm(hosts);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  const create = (name: string, ...options: readonly string[]): Promise<string> =>
    manager.bale('service', 'create', '-d', '--name', name, ...options, TEST_IMAGE);

  /** Runs a line in the container of a task. */
  async function inside(taskId: string, nodeId: string | undefined, line: string): Promise<void> {
    const node = (await nodesOf(manager)).find(({ ID }) => ID === nodeId);
    const host = hosts.all.find(({ name }) => name === node?.Description.Hostname);
    if (host === undefined) throw new Error(`no host has node ${nodeId ?? '-'}`);
    const id = await host.docker('ps', '-q', '--filter', `label=com.docker.swarm.task.id=${taskId}`);
    await host.docker('exec', id.trim(), 'sh', '-c', line);
  }

  test('a service whose Engine would look in 30 s runs in a moment', async () => {
    // Images and caches are warm after the first container.
    await create('warm', '--replicas', '3');
    await runningTasks(manager, 'warm', 3);
    const begun = Date.now();
    await create('checked', '--replicas', '3', '--health-cmd', 'test -d /www', '--health-interval', '30s');
    await runningTasks(manager, 'checked', 3);
    const took = Date.now() - begun;
    expect(took, 'before the Engine has looked').toBeLessThan(25_000);
    await manager.bale('service', 'rm', 'warm', 'checked');
  });

  test('a service whose check fails says why it does not converge', async () => {
    await create('stuck', '--health-cmd', 'echo no database; exit 7', '--health-interval', '30s');
    await eventually('the reason in service ps', async () => {
      const text = await manager.bale('service', 'ps', '--no-trunc', 'stuck');
      return text.includes('waiting for the health check, last probe exit 7: no database');
    });
    await manager.bale('service', 'rm', 'stuck');
  });

  test('an unhealthy replica that still answers is replaced without a failed request', async () => {
    await create(
      'web',
      ...['--replicas', '3', '-p', `${PORT}:80`],
      ...['--health-cmd', 'test ! -f /tmp/sick', '--health-interval', '500ms', '--health-retries', '1'],
    );
    const before = await runningTasks(manager, 'web', 3);
    for (const { address } of hosts.all) {
      await eventually('the port', async () => (await ask(address, PORT)).status === 200);
    }
    const targets = hosts.all.map(({ address }) => ({ address, port: PORT }));
    const loads = [new SteadyLoad(targets, true), new SteadyLoad(targets, false)];
    try {
      for (const sick of before) {
        await inside(sick.ID, sick.NodeID, 'touch /tmp/sick');
        const failed = await eventually('the sick task to have failed', async () => {
          const task = (await tasksOf(manager, 'web')).find(({ ID }) => ID === sick.ID);
          return task?.Status.State === 'failed' ? task : undefined;
        });
        expect(failed.Status.Err).toBe('task: container unhealthy');
        await runningTasks(manager, 'web', 3);
      }
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    for (const load of loads) expect(load.failures).toEqual([]);
    const slots = (await tasksOf(manager, 'web')).map(({ Slot }) => Slot);
    expect(slots).toHaveLength(6);
  });
});
