import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { ask, makeSwarm, nodeNamed, nodeState, runningTasks, SteadyLoad, tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

const PORT = 8080;

describe('what breaks, and what goes on', () => {
  let hosts: Hosts;
  const containersOf = async (): Promise<string> =>
    (await Promise.all(hosts.all.map((host) => host.docker('ps', '-q', '--no-trunc'))))
      .join('')
      .split('\n')
      .sort()
      .join('\n');

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

  test('an agent killed with -9: no request fails, and the next daemon adopts every container', async () => {
    const before = await containersOf();
    const load = new SteadyLoad(
      hosts.all.map(({ address }) => ({ address, port: PORT })),
      true,
    );
    await hosts.host(2).stopDaemon('SIGKILL');
    await hosts.host(2).startDaemon();
    await nodeState(hosts.host(1), 'h2', 'ready');
    await eventually('the load to go on', () => Promise.resolve(load.answered > 200));
    await load.stop();
    expect(load.failures).toEqual([]);
    await runningTasks(hosts.host(1), 'web', 6);
    expect(await containersOf()).toBe(before);
  });

  test('the manager killed with -9: no request fails; same cluster, same tasks, no container touched', async () => {
    const before = await containersOf();
    const tasksBefore = (await tasksOf(hosts.host(1), 'web')).map(({ ID }) => ID);
    const load = new SteadyLoad(
      hosts.all.map(({ address }) => ({ address, port: PORT })),
      false,
    );
    const told = (await hosts.host(1).log()).length;
    await hosts.host(1).stopDaemon('SIGKILL');
    await hosts.host(1).startDaemon();
    // The nodes are ready in its store from before; what counts is that their agents found it again.
    await eventually('a session of every agent', async () => {
      const news = (await hosts.host(1).log()).slice(told).split('\n');
      const opened = news.filter((line) => line.includes('"session opened"'));
      return ['h1', 'h2', 'h3'].every((name) => opened.some((line) => line.includes(`"hostname":"${name}"`)));
    });
    for (const name of ['h1', 'h2', 'h3']) await nodeState(hosts.host(1), name, 'ready');
    await load.stop();
    expect(load.failures).toEqual([]);
    await runningTasks(hosts.host(1), 'web', 6);
    expect((await tasksOf(hosts.host(1), 'web')).map(({ ID }) => ID)).toEqual(tasksBefore);
    expect(await containersOf()).toBe(before);
  });

  test('a daemon stopped in order keeps its containers serving', async () => {
    const before = await containersOf();
    await hosts.host(3).stopDaemon('SIGTERM');
    await nodeState(hosts.host(1), 'h3', 'disconnected');
    expect((await ask(hosts.host(3).address, PORT)).status).toBe(200);
    await hosts.host(3).startDaemon();
    await nodeState(hosts.host(1), 'h3', 'ready');
    expect(await containersOf()).toBe(before);
  });

  test('a machine cut off: its tasks run elsewhere; when it returns its stale tasks are stopped and it is used again', async () => {
    const manager = hosts.host(1);
    const lost = await nodeNamed(manager, 'h3');
    const cutAt = performance.now();
    await hosts.host(3).cut();
    await eventually('six replicas on two nodes', async () =>
      (await runningTasks(manager, 'web', 6)).every(({ NodeID }) => NodeID !== lost.ID),
    );
    expect(performance.now() - cutAt, 'Docker Swarm takes 18 s').toBeLessThan(18_000);
    const { Status } = await nodeNamed(manager, 'h3');
    expect(Status.State).toBe('down');
    expect(Status.Message).toMatch(/\w/);
    for (let n = 0; n < 12; n += 1) expect((await ask(hosts.host(2).address, PORT)).status).toBe(200);
    await hosts.host(3).mend();
    await nodeState(manager, 'h3', 'ready');
    await eventually('the stale containers to be stopped', async () => (await hosts.host(3).docker('ps', '-q')) === '');
    await manager.bale('service', 'scale', '-d', 'web=9');
    const tasks = await runningTasks(manager, 'web', 9);
    expect(tasks.filter(({ NodeID }) => NodeID === lost.ID).length, 'the node is used again').toBeGreaterThan(0);
  });

  test('a machine that loses power: its tasks run elsewhere; after it boots it is used again', async () => {
    const manager = hosts.host(1);
    const lost = await nodeNamed(manager, 'h2');
    await hosts.host(2).powerOff();
    await eventually('nine replicas on two nodes', async () =>
      (await runningTasks(manager, 'web', 9)).every(({ NodeID }) => NodeID !== lost.ID),
    );
    await hosts.host(2).mend();
    await hosts.host(2).startEngine();
    await hosts.host(2).startDaemon();
    await nodeState(manager, 'h2', 'ready');
    await eventually('its published port', async () => (await ask(hosts.host(2).address, PORT)).status === 200);
    await manager.bale('service', 'scale', '-d', 'web=12');
    const tasks = await runningTasks(manager, 'web', 12);
    expect(tasks.filter(({ NodeID }) => NodeID === lost.ID).length).toBeGreaterThan(0);
  });

  test('an Engine that dies: the node says so, its tasks move, all heals when it returns', async () => {
    const manager = hosts.host(1);
    const lost = await nodeNamed(manager, 'h3');
    await hosts.host(3).killEngine();
    const node = await nodeState(manager, 'h3', 'down');
    expect(node.Status.Message).toMatch(/Docker Engine/);
    await eventually('twelve replicas on two nodes', async () =>
      (await runningTasks(manager, 'web', 12)).every(({ NodeID }) => NodeID !== lost.ID),
    );
    await hosts.host(3).startEngine();
    await nodeState(manager, 'h3', 'ready');
    await manager.bale('service', 'scale', '-d', 'web=15');
    const tasks = await runningTasks(manager, 'web', 15);
    expect(tasks.filter(({ NodeID }) => NodeID === lost.ID).length).toBeGreaterThan(0);
  });

  test('a node that is removed is refused from then on', async () => {
    const manager = hosts.host(1);
    expect((await manager.tryBale('node', 'rm', 'h3')).stderr).toMatch(/is not down and can't be removed/);
    await manager.bale('node', 'rm', '--force', 'h3');
    await runningTasks(manager, 'web', 15);
    expect((await manager.bale('node', 'ls', '--format', '{{.Hostname}}')).trim().split('\n')).toEqual(['h1', 'h2']);
    await eventually('the removed node to say why it is out', async () => {
      const { stdout } = await hosts.host(3).tryBale('info');
      return stdout.includes('removed');
    });
  });
});
