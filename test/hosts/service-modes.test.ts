import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import {
  answersOfAll,
  ask,
  nodeNamed,
  runningTasks,
  serviceOf,
  SteadyLoad,
  tasksOf,
} from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

describe('services that follow their nodes', () => {
  let hosts: Hosts;

  beforeAll(async () => {
    hosts = await startHosts(3);
    const [manager, second] = hosts.all;
    if (manager === undefined || second === undefined) throw new Error('no hosts');
    await manager.bale('swarm', 'init', '--advertise-addr', manager.address);
    await join(hosts, 2);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  test('a global service runs once on each node, and on the one that joins later', async () => {
    const manager = hosts.host(1);
    const flags = ['--mode', 'global', '--update-monitor', '100ms', '-p', '8080:80'];
    const output = await manager.bale('service', 'create', '--name', 'web', ...flags, TEST_IMAGE);
    expect(output).toContain('overall progress: 2 out of 2 tasks');
    expect(output).toMatch(/h1: running[\s\S]*h2: running|h2: running[\s\S]*h1: running/);
    await join(hosts, 3);
    const tasks = await runningTasks(manager, 'web', 3);
    expect(new Set(tasks.map(({ NodeID }) => NodeID)).size).toBe(3);
    expect(await manager.bale('service', 'ls')).toMatch(/web +global +3\/3/);
    const [task] = tasks;
    expect(await manager.bale('service', 'ps', 'web')).toContain(`web.${task?.NodeID ?? ''}`);
    const { ID = '', NodeID = '' } = tasks.find((one) => one.NodeID !== undefined) ?? {};
    const names = await Promise.all(hosts.all.map((host) => host.docker('ps', '--format', '{{.Names}}')));
    expect(names.join('')).toContain(`web.${NodeID}.${ID}`);
  });

  test('it is updated, and leaves a node that is drained, without a lost request', async () => {
    const manager = hosts.host(1);
    for (const { address } of hosts.all) await answersOfAll(address, 8080, 3);
    const load = new SteadyLoad(
      hosts.all.map(({ address }) => ({ address, port: 8080 })),
      true,
    );
    try {
      await manager.bale('service', 'update', '--force', 'web');
      await manager.bale('node', 'drain', 'h3');
      await runningTasks(manager, 'web', 2);
      expect((await hosts.host(3).docker('ps', '-q')).trim()).toBe('');
      await manager.bale('node', 'activate', 'h3');
      await runningTasks(manager, 'web', 3);
    } finally {
      await load.stop();
    }
    expect(load.failures).toEqual([]);
  });

  test('the container of a node whose daemon was killed is not touched', async () => {
    const manager = hosts.host(1);
    const { ID: nodeId } = await nodeNamed(manager, 'h3');
    const before = (await runningTasks(manager, 'web', 3)).find(({ NodeID }) => NodeID === nodeId);
    await hosts.host(3).stopDaemon('SIGKILL');
    await hosts.host(3).startDaemon();
    await eventually('the node to be back', async () => (await nodeNamed(manager, 'h3')).Status.State === 'ready');
    const after = (await runningTasks(manager, 'web', 3)).find(({ NodeID }) => NodeID === nodeId);
    expect(after?.ID).toBe(before?.ID);
    expect((await ask(hosts.host(3).address, 8080)).status).toBe(200);
  });

  test('a job runs its tasks to their end, a few at a time, and once more when asked', async () => {
    const manager = hosts.host(1);
    const create = ['service', 'create', '--name', 'batch', '--mode', 'replicated-job', '--replicas', '4'];
    const output = await manager.bale(...create, '--max-concurrent', '2', TEST_IMAGE, 'sh', '-c', 'sleep 0.2');
    expect(output).toContain('job progress: 4 out of 4 complete');
    expect(output).toContain('job complete');
    expect(await manager.bale('service', 'ls')).toMatch(/batch +replicated job +0\/2 \(4\/4 completed\)/);
    const tasks = await tasksOf(manager, 'batch');
    expect(tasks.map(({ Slot }) => Slot).sort()).toEqual([0, 1, 2, 3]);
    expect(tasks.every(({ Status }) => Status.State === 'complete')).toBe(true);
    expect(await manager.bale('service', 'update', '--force', 'batch')).toContain('job complete');
    expect((await serviceOf(manager, 'batch')).JobStatus?.JobIteration).toEqual({ Index: 1 });
  });

  test('a job that fails says so', async () => {
    const manager = hosts.host(1);
    const create = ['service', 'create', '--name', 'broken', '--mode', 'global-job', '--restart-condition', 'none'];
    await expect(manager.bale(...create, TEST_IMAGE, 'sh', '-c', 'exit 3')).rejects.toThrow(
      /job failed: 3 of 3 tasks did not complete: task: non-zero exit \(3\)/,
    );
  });
});

async function join(hosts: Hosts, number: number): Promise<void> {
  const manager = hosts.host(1);
  const token = (await manager.bale('swarm', 'join-token', '-q', 'worker')).trim();
  await hosts.host(number).bale('swarm', 'join', '--token', token, `${manager.address}:2377`);
}
