import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { isRunning, makeSwarm, nodesOf, runningTasks, serviceOf, tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { TestHost } from '../support/test-host.js';

let hosts: Hosts;
let h1: TestHost;

beforeAll(async () => {
  hosts = await startHosts(3);
  h1 = hosts.host(1);
  await makeSwarm(hosts);
});

afterAll(async () => {
  await hosts[Symbol.asyncDispose]();
});

async function hostOf({ NodeID }: TaskDocument): Promise<TestHost> {
  const node = (await nodesOf(h1)).find(({ ID }) => ID === NodeID);
  const host = hosts.all.find(({ name }) => name === node?.Description.Hostname);
  if (host === undefined) throw new Error(`no host has node ${NodeID ?? ''}`);
  return host;
}

/** The one running task of the service that is not `before`. */
const successorOf = (before: TaskDocument): Promise<TaskDocument> =>
  eventually('a new task', async () =>
    (await tasksOf(h1, 'db')).find((task) => isRunning(task) && task.ID !== before.ID && task.Slot === before.Slot),
  );

const inContainer = async (task: TaskDocument, ...command: string[]): Promise<string> =>
  (await hostOf(task)).docker('exec', task.Status.ContainerStatus?.ContainerID ?? '', ...command);

test('a task goes back to the node with its volume, and is warned where that cannot be', async () => {
  const mount = 'type=volume,source=data,target=/data';
  await h1.bale('service', 'create', '-d', '--name', 'db', '--update-monitor', '100ms', '--mount', mount, TEST_IMAGE);
  const [first] = await runningTasks(h1, 'db', 1);
  if (first === undefined) throw new Error('no task');
  const home = await hostOf(first);
  await inContainer(first, 'sh', '-c', 'echo precious > /data/file');

  // Without the volume, any other node would be the better place now.
  const constraint = `node.hostname==${home.name}`;
  await h1.bale('service', 'create', '-d', '--name', 'load', '--replicas', '3', '--constraint', constraint, TEST_IMAGE);
  await runningTasks(h1, 'load', 3);
  await home.docker('kill', first.Status.ContainerStatus?.ContainerID ?? '');
  const second = await successorOf(first);
  expect((await hostOf(second)).name).toBe(home.name);
  expect(await inContainer(second, 'cat', '/data/file')).toBe('precious\n');

  await h1.bale('service', 'update', '--force', 'db');
  const third = await successorOf(second);
  expect(await inContainer(third, 'cat', '/data/file')).toBe('precious\n');
  expect(third.warning).toBeUndefined();
  expect(await h1.bale('service', 'rebalance', 'db')).toContain('already balanced');

  await h1.bale('service', 'rm', 'load');
  await h1.bale('node', 'drain', home.name);
  const fourth = await successorOf(third);
  const refuge = await hostOf(fourth);
  expect(refuge.name).not.toBe(home.name);
  const warning = `volume data of db.1 (data) is on ${home.name}, which is drained: started on ${refuge.name} without it`;
  expect(fourth.warning).toBe(warning);
  expect(await h1.bale('service', 'ps', '--no-trunc', 'db')).toContain(`"warning: ${warning}"`);
  expect((await serviceOf(h1, 'db')).warnings).toEqual([warning]);
  expect(await h1.bale('service', 'inspect', '--pretty', 'db')).toContain(`Warnings:\n ${warning}\n`);
  expect((await h1.tryBale('service', 'scale', 'db=1')).stderr).toContain(`warning: ${warning}\n`);
  expect(await h1.log()).toContain('volume data stays on another node');
  expect(await inContainer(fourth, 'ls', '/data')).toBe('');

  // It wrote there since: its slot stays, also when the first node is back.
  await h1.bale('node', 'activate', home.name);
  await refuge.docker('kill', fourth.Status.ContainerStatus?.ContainerID ?? '');
  const fifth = await successorOf(fourth);
  expect((await hostOf(fifth)).name).toBe(refuge.name);
  expect(fifth.warning).toBeUndefined();
  expect(await serviceOf(h1, 'db')).not.toHaveProperty('warnings');
});
