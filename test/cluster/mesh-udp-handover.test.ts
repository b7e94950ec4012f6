import { readdir, readFile, readlink } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { killProcess } from '../../agent/mesh-link/mesh-member.js';
import type { MeshProcessLink } from '../../agent/mesh-link/mesh-process.js';
import type { PublishedPort } from '../../proto/endpoint-table.js';
import { eventually } from '../support/eventually.js';
import { TestCa } from '../support/identities.js';
import { compileMesh, gone, MeshFleet, reported, type MeshProgram } from '../support/mesh-fleet.js';
import { endpointTable, publishedPort } from '../support/mesh-node.js';
import { UdpLoad } from '../support/udp-load.js';
import { UdpClient, UdpReplica, type Answer } from '../support/udp-replica.js';

const PORT = 8080;

let program: MeshProgram;
let ca: TestCa;
let fleet: MeshFleet;
/** In a process of its own too: one that pauses for a second is taken for gone. */
let other: MeshFleet;
let otherLink: MeshProcessLink;
let replicas: UdpReplica[];
let clients: UdpClient[];

beforeAll(async () => {
  program = await compileMesh();
  ca = await TestCa.create();
});

afterAll(() => program.dispose());

beforeEach(async () => {
  fleet = await MeshFleet.create(program, ca.identity('node1'));
  other = await MeshFleet.create(program, ca.identity('node2'));
  otherLink = await other.link();
  replicas = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await fleet.close();
  await other.close();
  for (const replica of replicas) replica.stop();
});

async function replica(taskId: string, nodeId: string, answer?: Answer): Promise<void> {
  replicas.push(await UdpReplica.start(taskId, nodeId, answer));
}

async function client(): Promise<UdpClient> {
  const made = await UdpClient.open(fleet.address);
  clients.push(made);
  return made;
}

/** Both nodes serve the port by all replicas; resolves when both say so. */
async function publish(to: MeshProcessLink, fields: Partial<PublishedPort> = {}): Promise<void> {
  const peers = [fleet.peer, other.peer];
  const port = publishedPort(
    replicas.map((each) => each.endpoint()),
    { protocol: 'udp', ...fields },
  );
  const table = endpointTable(ca.clusterId, peers, [port]);
  to.setLocals(replicas.filter(({ nodeId }) => nodeId === 'node1').map(({ local }) => local));
  otherLink.setLocals(replicas.filter(({ nodeId }) => nodeId === 'node2').map(({ local }) => local));
  to.setTable(table);
  const { bindErrors } = await reported(to, ({ tableNumber }) => tableNumber === table.number);
  expect(bindErrors).toEqual([]);
  otherLink.setTable(table);
  await reported(otherLink, ({ tableNumber }) => tableNumber === table.number);
}

/** Resolves when the process serves the port no more. */
const handedOver = (pid: number): Promise<unknown> =>
  eventually(`process ${pid} to hand the port over`, async () => !(await holds(pid)), { every: 10 });

describe('a mesh process that is replaced', () => {
  test.each([
    ['on its own node', 'node1'],
    ['on another node', 'node2'],
  ])('leaves no request without its answer: replicas %s', { timeout: 180_000 }, async (_where, nodeId) => {
    await replica('task1', nodeId, delayed('task1'));
    await replica('task2', nodeId, delayed('task2'));
    const only = await fleet.link();
    await publish(only);
    const load = new UdpLoad([fleet.address, other.address]);
    await load.goOn(200);
    // The second hands on what the first was handed.
    for (let round = 0; round < 2; round += 1) {
      const before = await fleet.leadPid();
      only.replace();
      await fleet.otherLead(before);
      await load.goOn(200);
      await gone(before);
      await load.goOn(200);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    await publish(only);
  });

  test('passes on the answers that its clients are owed', async () => {
    const replies: (() => void)[] = [];
    let isHandedOver = false;
    await replica('task1', 'node1', (datagram, reply) => {
      if (isHandedOver) reply(datagram);
      else {
        replies.push(() => {
          reply(datagram);
        });
      }
    });
    const only = await fleet.link();
    await publish(only);
    const before = await fleet.leadPid();
    const asking = await client();
    only.replace();
    let asked = 0;
    await eventually(
      'the port to be handed over',
      async () => {
        asking.send(String((asked += 1)));
        return !(await holds(before));
      },
      { every: 20 },
    );
    // From now on at once: the old process waits for answers for two seconds.
    isHandedOver = true;
    for (const reply of replies) reply();
    // This one is for the new process in any case.
    asking.send(String((asked += 1)));
    const answers: number[] = [];
    while (answers.length < asked) answers.push(Number((await asking.next()).toString()));
    expect(answers.sort((a, b) => a - b)).toEqual(Array.from({ length: asked }, (_none, index) => index + 1));
    // What the new process got and what the old one did came from another address of this node each.
    expect(replicas[0]?.clients.size).toBe(2);
  });

  test('leaves to the next one what waits for a replica', async () => {
    const only = await fleet.link();
    await publish(only, { hold: { ms: 30_000, reason: 'it starts' } });
    const before = await fleet.leadPid();
    const asking = await client();
    asking.send('early');
    only.replace();
    await gone(before);
    await replica('task1', 'node1');
    await publish(only);
    expect((await asking.next()).toString()).toBe('task1 early');
  });

  test.each(['the old one', 'the new one'])('%s killed meanwhile: the port is served again', async (victim) => {
    await replica('task1', 'node1');
    const only = await fleet.link();
    await publish(only);
    const before = await fleet.leadPid();
    only.replace();
    const next = await eventually('a successor', async () => (await fleet.pids()).find((pid) => pid !== before), {
      every: 2,
    });
    // The old one may have ended by itself just now.
    killProcess(victim === 'the old one' ? before : next);
    await gone(before);
    await served();
  });
});

describe('the leading mesh process killed', () => {
  test.each([
    ['the next one serves', 1],
    ['another that runs serves', 2],
  ])('%s', async (_who, processes) => {
    await replica('task1', 'node1');
    const link = await fleet.link({ processes });
    await publish(link);
    await eventually('all to run', async () => (await fleet.pids()).length === processes);
    await publish(link);
    const before = await fleet.leadPid();
    process.kill(before, 'SIGKILL');
    await fleet.otherLead(before);
    await served();
    await publish(link);
  });
});

test('of several processes the new leading one takes the port over', async () => {
  await replica('task1', 'node1', delayed('task1'));
  const several = await fleet.link({ processes: 2 });
  await publish(several);
  await eventually('both to run', async () => (await fleet.pids()).length === 2);
  await publish(several);
  const before = await fleet.leadPid();
  const load = new UdpLoad([fleet.address]);
  several.replace();
  await fleet.otherLead(before);
  await handedOver(before);
  await load.goOn(200);
  await load.stop();
  expect(load.failures).toEqual([]);
});

async function served(): Promise<void> {
  const asking = await client();
  await eventually('the port to be served', async () => (await asking.ask('now', 500)) === 'task1 now');
}

const delayed =
  (taskId: string): Answer =>
  (datagram, reply) => {
    setTimeout(() => {
      reply(`${taskId} ${datagram.toString()}`);
    }, Math.random() * 100);
  };

/** Whether the process holds the socket that is bound to the published port. */
async function holds(pid: number): Promise<boolean> {
  const local = `${fleet.address
    .split('.')
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}:${PORT.toString(16).padStart(4, '0')}`.toUpperCase();
  const inodes = (await readFile('/proc/net/udp', 'latin1'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap((fields) => (fields[1] === local ? [`socket:[${fields[9] ?? ''}]`] : []));
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const open = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return open.some((target) => inodes.includes(target));
}
