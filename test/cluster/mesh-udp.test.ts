import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';
import { UdpClient, UdpReplica, type Answer } from '../support/udp-replica.js';

const LARGEST = 65_507;

let ca: TestCa;
let node1: MeshNode;
let node2: MeshNode;
let replicas: UdpReplica[];
let clients: UdpClient[];

beforeEach(async () => {
  ca = await TestCa.create();
  [node1, node2] = await Promise.all([MeshNode.start(ca.identity('node1')), MeshNode.start(ca.identity('node2'))]);
  replicas = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await Promise.all([node1, node2].map((node) => node.close()));
  for (const replica of replicas) replica.stop();
});

async function replica(taskId: string, nodeId: string, answer?: Answer): Promise<UdpReplica> {
  const made = await UdpReplica.start(taskId, nodeId, answer);
  replicas.push(made);
  tellLocals();
  return made;
}

function dead(taskId: string, nodeId: string): UdpReplica {
  const made = UdpReplica.dead(taskId, nodeId);
  replicas.push(made);
  tellLocals();
  return made;
}

function tellLocals(): void {
  for (const node of [node1, node2]) {
    node.setLocals(replicas.filter(({ nodeId }) => nodeId === node.nodeId).map(({ local }) => local));
  }
}

const udpPort = (endpoints: readonly Endpoint[], fields: Partial<PublishedPort> = {}): PublishedPort =>
  publishedPort(endpoints, { protocol: 'udp', udpTimeout: 60_000, ...fields });

async function publish(...ports: readonly PublishedPort[]): Promise<void> {
  const table = endpointTable(ca.clusterId, [node1.peer, node2.peer], ports);
  await Promise.all([node1, node2].map((node) => node.setTable(table)));
}

const publishAll = (): Promise<void> => publish(udpPort(replicas.map((each) => each.endpoint())));

async function client(node = node1): Promise<UdpClient> {
  const made = await UdpClient.open(node.address);
  clients.push(made);
  return made;
}

const openClients = (count: number, node?: MeshNode): Promise<UdpClient[]> =>
  Promise.all(Array.from({ length: count }, () => client(node)));

const taskOf = (answer: string): string => answer.split(' ')[0] ?? '';

describe.each([
  ['of the node itself', 'node1'],
  ['of another node, through a tunnel', 'node2'],
])('a replica %s', (_where, nodeId) => {
  test('answers a client, whatever the size of the datagram', async () => {
    await replica('task1', nodeId, (datagram, reply) => {
      reply(datagram);
    });
    await publishAll();
    const asking = await client();
    for (const size of [1, 0, 512, 1_472, 9_000, LARGEST]) {
      const sent = Buffer.alloc(size, size % 251);
      asking.send(sent);
      expect((await asking.next()).equals(sent)).toBe(true);
    }
  });

  test('gets the datagrams of a burst one by one, each whole', async () => {
    await replica('task1', nodeId, (datagram, reply) => {
      reply(datagram);
    });
    await publishAll();
    const asking = await client();
    const sent = Array.from({ length: 60 }, (_none, index) => Buffer.alloc(1 + index * 37, index));
    for (const datagram of sent) asking.send(datagram);
    for (const datagram of sent) expect((await asking.next()).equals(datagram)).toBe(true);
  });

  test('tells clients apart, and may go on talking to each', async () => {
    const tail: ((answer: string) => void)[] = [];
    const made = await replica('task1', nodeId, (datagram, reply) => {
      reply(datagram);
      tail.push((answer) => {
        reply(`${answer} ${datagram.toString()}`);
      });
    });
    await publishAll();
    const [a, b] = await Promise.all([client(), client()]);
    expect(await Promise.all([a.ask('a'), b.ask('b')])).toEqual(['a', 'b']);
    for (const more of tail) more('more for');
    expect((await a.next()).toString()).toBe('more for a');
    expect((await b.next()).toString()).toBe('more for b');
    expect(made.clients.size).toBe(2);
  });

  test('that does not listen is passed over: its client’s first datagram goes to another', async () => {
    dead('task1', nodeId);
    await replica('task2', 'node1');
    await publishAll();
    for (const asking of await openClients(6)) expect(await asking.ask('hello')).toBe('task2 hello');
  });

  test('that does not listen is passed over by all datagrams that a client sends at once', async () => {
    dead('task1', nodeId);
    await replica('task2', 'node1');
    await publishAll();
    for (const asking of await openClients(6)) {
      for (const text of ['A?', 'AAAA?']) asking.send(text);
      const answers = [await asking.next(), await asking.next()].map(String);
      expect(answers).toEqual(['task2 A?', 'task2 AAAA?']);
    }
  });

  test('that is the only one and listens only after a while answers what was sent before', async () => {
    const late = dead('task1', nodeId);
    await publishAll();
    const asking = await openClients(20);
    const answers = asking.map((each) => each.ask('hello'));
    await late.listen();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['task1 hello']));
  });

  test('that stopped loses nothing: what it refused goes to another', async () => {
    const stopped = await replica('task1', nodeId);
    await publishAll();
    const asking = await client();
    expect(await asking.ask('one')).toBe('task1 one');
    stopped.stop();
    await replica('task2', 'node1');
    await publishAll();
    expect(await asking.ask('two')).toBe('task2 two');
  });

  test('that drains is in flight until it has answered, and gets nothing new from a client that paused', async () => {
    const answers: (() => void)[] = [];
    const slow = await replica('task1', nodeId, (datagram, reply) => {
      answers.push(() => {
        reply(`slow ${datagram.toString()}`);
      });
    });
    await publishAll();
    const asking = await client();
    asking.send('one');
    await untilTrue(() => answers.length === 1);
    const other = await replica('task2', 'node1');
    await publish(udpPort([slow.endpoint('draining'), other.endpoint()]));
    await node1.daemon.until(() => node1.daemon.last?.inFlight.task1 === 1);
    answers[0]?.();
    expect((await asking.next()).toString()).toBe('slow one');
    await node1.daemon.until(() => node1.daemon.last?.inFlight.task1 === undefined);
    expect(await asking.ask('two')).toBe('task2 two');
    expect(answers).toHaveLength(1);
  });
});

describe('clients', () => {
  test('are spread round-robin, and each stays with its replica', async () => {
    for (const [taskId, nodeId] of [
      ['task1', 'node1'],
      ['task2', 'node1'],
      ['task3', 'node2'],
    ] as const)
      await replica(taskId, nodeId);
    await publishAll();
    const picked = new Map<string, number>();
    for (const asking of await openClients(30)) {
      const answers = [await asking.ask('1'), await asking.ask('2'), await asking.ask('3')].map(taskOf);
      expect(new Set(answers).size).toBe(1);
      const taskId = answers[0] ?? '';
      picked.set(taskId, (picked.get(taskId) ?? 0) + 1);
    }
    expect([...picked.values()]).toEqual([10, 10, 10]);
    expect(node1.mesh.open.udpSessions).toBe(30);
  });

  test('lose no answer while replicas come and go under load', async () => {
    let loading = true;
    for (const [taskId, nodeId] of [
      ['task1', 'node1'],
      ['task2', 'node2'],
    ] as const)
      await replica(taskId, nodeId, delayedEcho(taskId));
    await publishAll();
    const load = [...(await openClients(12)), ...(await openClients(12, node2))].map(async (asking, index) => {
      for (let asked = 0; loading || asked < 10; asked += 1) {
        const text = `${index}-${asked}`;
        // Any answer but this one means that an earlier one came twice or late.
        expect((await asking.ask(text)).split(' ')[1]).toBe(text);
      }
    });
    for (let round = 3; round < 9; round += 1) {
      const old = replicas[0];
      const fresh = await replica(`task${round}`, round % 2 === 0 ? 'node1' : 'node2', delayedEcho(`task${round}`));
      await publishAll();
      if (old === undefined) throw new Error('there is no old replica');
      await publish(udpPort(replicas.map((each) => each.endpoint(each === old ? 'draining' : 'active'))));
      for (const { daemon } of [node1, node2]) await daemon.until(() => !(old.taskId in (daemon.last?.inFlight ?? {})));
      old.stop();
      replicas = replicas.filter((each) => each !== old);
      expect(replicas).toContain(fresh);
      await publishAll();
      tellLocals();
    }
    loading = false;
    await Promise.all(load);
  });

  test('move on when the node of their replica ends', async () => {
    await replica('task2', 'node2');
    await publishAll();
    const asking = await client();
    expect(await asking.ask('one')).toBe('task2 one');
    await node2.close();
    const first = await replica('task1', 'node1');
    await node1.setTable(endpointTable(ca.clusterId, [node1.peer], [udpPort([first.endpoint()])]));
    expect(await asking.ask('two')).toBe('task1 two');
  });

  test('are not sent to the address of a container that is gone', async () => {
    const gone = await replica('task1', 'node1');
    await publishAll();
    const asking = await client();
    expect(await asking.ask('one')).toBe('task1 one');
    // The table lags; the address belongs to somebody else already.
    const other = await replica('task2', 'node1');
    await publishAll();
    replicas = [other];
    tellLocals();
    // The mesh takes one message after the other: when it has this table it knows its containers.
    await publish(udpPort([gone.endpoint(), other.endpoint()]));
    expect(await asking.ask('two')).toBe('task2 two');
    gone.stop();
  });
});

describe('a published udp port', () => {
  test('is another than the tcp port of the same number', async () => {
    const web = await Replica.tcp('task2', 'node1', (socket) => socket.end('web'));
    await replica('task1', 'node1');
    node1.setLocals([...replicas.map(({ local }) => local), web.local]);
    await publish(publishedPort([web.endpoint()], { mode: 'tcp' }), ...[udpPort(replicas.map((r) => r.endpoint()))]);
    expect(await (await client()).ask('dns')).toBe('task1 dns');
    const said = await new Promise((resolve) => {
      connect(8080, node1.address).once('data', (chunk: Buffer) => {
        resolve(chunk.toString());
      });
    });
    expect(said).toBe('web');
    await web.stop();
  });

  test('that cannot be bound says why, and is bound once it can be', async () => {
    const other = await bind(node1.address);
    await replica('task1', 'node1');
    await publishAll();
    expect(node1.daemon.last?.bindErrors).toEqual([
      {
        publishedPort: 8080,
        protocol: 'udp',
        error: `listen udp ${node1.address}:8080: address already in use`,
      },
    ]);
    await new Promise<void>((resolve) => other.close(resolve));
    await node1.daemon.until(() => node1.daemon.last?.bindErrors.length === 0);
    expect(await (await client()).ask('now')).toBe('task1 now');
  });

  test('that is published no more still passes on what clients are owed, then frees its socket', async () => {
    const answers: (() => void)[] = [];
    await replica('task1', 'node1', (_datagram, reply) => {
      answers.push(() => {
        reply('late');
      });
    });
    await publishAll();
    const asking = await client();
    asking.send('one');
    await untilTrue(() => answers.length === 1);
    await publish();
    answers[0]?.();
    expect((await asking.next()).toString()).toBe('late');
    await untilTrue(() => node1.mesh.open.udpSessions === 0);
    await new Promise(setImmediate);
    (await bind(node1.address)).close();
  });

  test('is served at once when it is published again', async () => {
    await replica('task1', 'node1');
    await publishAll();
    const asking = await client();
    expect(await asking.ask('one')).toBe('task1 one');
    await publish();
    await publishAll();
    expect(node1.daemon.last?.bindErrors).toEqual([]);
    expect(await asking.ask('two')).toBe('task1 two');
  });
});

const delayedEcho =
  (taskId: string): Answer =>
  (datagram, reply) => {
    setTimeout(() => {
      reply(`${taskId} ${datagram.toString()}`);
    }, Math.random() * 20);
  };

async function bind(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(8080, address, resolve);
  });
  return socket;
}

async function untilTrue(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 5));
}
