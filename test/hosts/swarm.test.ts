import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { answersOfAll, ask, makeSwarm, nodesOf, runningTasks, serviceOf, tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

describe('a cluster of three machines', () => {
  let hosts: Hosts;

  beforeAll(async () => {
    hosts = await startHosts(3);
    await makeSwarm(hosts);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  test('two commands make it, and all nodes are ready', async () => {
    const nodes = await nodesOf(hosts.host(1));
    expect(nodes.map(({ Description, Status }) => [Description.Hostname, Status.State]).sort()).toEqual([
      ['h1', 'ready'],
      ['h2', 'ready'],
      ['h3', 'ready'],
    ]);
    expect(await hosts.host(1).bale('node', 'ls')).toMatch(/h1 +Ready +Active +Leader/);
  });

  test('one command declares a service that answers on every node, from every replica', async () => {
    const manager = hosts.host(1);
    const flags = ['--replicas', '3', '--update-monitor', '100ms', '-p', '8080:80'];
    const output = await manager.bale('service', 'create', '--name', 'web', ...flags, TEST_IMAGE);
    expect(output).toContain('overall progress: 3 out of 3 tasks');
    const tasks = await runningTasks(manager, 'web', 3);
    expect(new Set(tasks.map(({ NodeID }) => NodeID)).size, 'spread over the nodes').toBe(3);
    for (const { address } of hosts.all) await answersOfAll(address, 8080, 3);
  });

  test('it scales up and down', async () => {
    const manager = hosts.host(1);
    await manager.bale('service', 'scale', '-d', 'web=6');
    const tasks = await runningTasks(manager, 'web', 6);
    expect(tasks.map(({ Slot }) => Slot).sort()).toEqual([1, 2, 3, 4, 5, 6]);
    await manager.bale('service', 'scale', '-d', 'web=2');
    await runningTasks(manager, 'web', 2);
    await eventually('the doomed tasks to be gone', async () => (await tasksOf(manager, 'web')).length === 2);
    expect((await ask(hosts.host(3).address, 8080)).status).toBe(200);
  });

  test('a container that dies is replaced, and the old one stays to be looked at', async () => {
    const manager = hosts.host(1);
    const [victim] = await runningTasks(manager, 'web', 2);
    const host = hosts.all.find(({ name }) => name === hostOf(victim?.NodeID)) ?? hosts.host(1);
    await host.docker('kill', victim?.Status.ContainerStatus?.ContainerID ?? '');
    await eventually('a new task in the slot', async () =>
      (await runningTasks(manager, 'web', 2)).every(({ ID }) => ID !== victim?.ID),
    );
    const history = await manager.bale('service', 'ps', 'web');
    expect(history).toMatch(/\\_ web\.\d .*Shutdown +Failed .*"task: non-zero exit \(137\)"/);
  });

  test('names and labels of containers are as Swarm gives them', async () => {
    const manager = hosts.host(1);
    const [task] = await runningTasks(manager, 'web', 2);
    const host = hosts.all.find(({ name }) => name === hostOf(task?.NodeID)) ?? hosts.host(1);
    const id = task?.Status.ContainerStatus?.ContainerID ?? '';
    const name = `web.${task?.Slot ?? 0}.${task?.ID ?? ''}`;
    expect((await host.docker('inspect', '-f', '{{.Name}}', id)).trim()).toBe(`/${name}`);
    expect(JSON.parse(await host.docker('inspect', '-f', '{{json .Config.Labels}}', id))).toMatchObject({
      'com.docker.swarm.task': '',
      'com.docker.swarm.task.id': task?.ID,
      'com.docker.swarm.task.name': name,
      'com.docker.swarm.node.id': task?.NodeID,
      'com.docker.swarm.service.id': task?.ServiceID,
      'com.docker.swarm.service.name': 'web',
    });
  });

  test('an image that does not exist says so in service ps, in the Engine’s own words', async () => {
    const manager = hosts.host(1);
    await manager.bale('service', 'create', '-d', '--name', 'ghost', 'no-such-image:1');
    await eventually('a rejected task with the cause', async () =>
      (await tasksOf(manager, 'ghost')).some(
        ({ Status }) => Status.State === 'rejected' && (Status.Err ?? '').includes('no-such-image'),
      ),
    );
    await manager.bale('service', 'rm', 'ghost');
  });

  test('a port that one node cannot bind is shown with its cause; the other nodes serve', async () => {
    const manager = hosts.host(1);
    const squatter = hosts.host(2).spawn('busybox', ['nc', '-l', '-p', '8181']);
    try {
      await eventually('the squatter', async () =>
        (await hosts.host(2).run('busybox', ['netstat', '-ltn'])).stdout.includes(':8181'),
      );
      await manager.bale('service', 'create', '-d', '--name', 'busy', '--replicas', '2', '-p', '8181:80', TEST_IMAGE);
      const { portErrors = [] } = await eventually('the port error', async () => {
        const service = await serviceOf(manager, 'busy');
        return (service.portErrors ?? []).length > 0 ? service : undefined;
      });
      expect(portErrors).toHaveLength(1);
      expect(portErrors[0]?.error).toMatch(/8181.*address already in use/);
      for (const n of [1, 3]) await answersOfAll(hosts.host(n).address, 8181, 2);
    } finally {
      squatter.kill('SIGKILL');
    }
    await eventually(
      'the port to be bound once it is free',
      async () => ((await serviceOf(manager, 'busy')).portErrors ?? []).length === 0,
    );
    expect((await ask(hosts.host(2).address, 8181)).status).toBe(200);
    await manager.bale('service', 'rm', 'busy');
  });

  test('a removed service leaves nothing behind', async () => {
    const manager = hosts.host(1);
    expect(await manager.bale('service', 'rm', 'web')).toBe('web\n');
    await eventually('every container to be gone', async () => {
      const left = await Promise.all(hosts.all.map((host) => host.docker('ps', '-aq')));
      return left.join('') === '';
    });
    await eventually('the port to be closed', () =>
      ask(hosts.host(1).address, 8080).then(
        () => false,
        () => true,
      ),
    );
  });

  let hostnames: ReadonlyMap<string, string> = new Map();
  beforeAll(async () => {
    hostnames = new Map((await nodesOf(hosts.host(1))).map(({ ID, Description }) => [ID, Description.Hostname]));
  });
  const hostOf = (nodeId: string | undefined): string | undefined => hostnames.get(nodeId ?? '');
});
