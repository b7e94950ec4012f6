import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PublishedPort } from '../../proto/endpoint-table.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

/** The same promises, whether the replica is a container of this node or of another. */
describe.each([
  { way: 'local', owner: 'node1' },
  { way: 'tunnelled', owner: 'node2' },
])('$way', ({ owner }) => {
  let ca: TestCa;
  let nodes: MeshNode[];
  let replicas: Replica[];
  let front: MeshNode;

  beforeEach(async () => {
    ca = await TestCa.create();
    nodes = await Promise.all(['node1', 'node2'].map((nodeId) => MeshNode.start(ca.identity(nodeId))));
    replicas = [];
    const [first] = nodes;
    if (first === undefined) throw new Error('no node');
    front = first;
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await Promise.all(replicas.map((replica) => replica.stop().catch(() => undefined)));
  });

  async function publish(list: readonly Replica[], mode: PublishedPort['mode'] = 'auto'): Promise<void> {
    replicas.push(...list.filter((replica) => !replicas.includes(replica)));
    for (const node of nodes) {
      node.setLocals(list.filter(({ nodeId }) => nodeId === node.nodeId).map(({ local }) => local));
    }
    const table = endpointTable(
      ca.clusterId,
      nodes.map(({ peer }) => peer),
      [
        publishedPort(
          list.map((replica) => replica.endpoint()),
          { mode },
        ),
      ],
    );
    await Promise.all(nodes.map((node) => node.setTable(table)));
  }

  const client = (): Socket =>
    connect({ host: front.address, port: 8080, allowHalfOpen: true }).on('error', () => undefined);

  const baseline = async (): Promise<void> => {
    await expect.poll(() => [front.mesh.open.clients, front.mesh.open.inFlight]).toEqual([0, 0]);
    await expect.poll(() => nodes.map(({ mesh }) => mesh.open.tunnels)).toEqual([0, 0]);
    await Promise.all(replicas.map((replica) => replica.idle()));
  };

  test.each(['auto', 'tcp'] as const)('a server that speaks first is heard without delay (%s)', async (mode) => {
    await publish([await Replica.tcp('task1', owner, (socket) => socket.end('220 ready\r\n'))], mode);
    const times: number[] = [];
    for (let index = 0; index < 3; index += 1) {
      const socket = client();
      const began = performance.now();
      expect(await text(socket)).toBe('220 ready\r\n');
      times.push(performance.now() - began);
      socket.end();
    }
    // A delay of the mesh would be in each; that of a busy machine is not.
    expect(Math.min(...times)).toBeLessThan(1_000);
    await baseline();
  });

  test('each direction ends by itself', async () => {
    await publish([
      await Replica.tcp(
        'task1',
        owner,
        (socket) => {
          void text(socket).then((heard) => socket.end(`heard ${heard}`));
        },
        true,
      ),
    ]);
    const socket = client();
    socket.write('\u0016\u0003one ');
    socket.end('two');
    expect(await text(socket)).toBe('heard \u0016\u0003one two');
    await baseline();

    await publish([
      await Replica.tcp(
        'task2',
        owner,
        (socket) => {
          socket.end('closing');
          void text(socket).then((heard) => (late = heard));
        },
        true,
      ),
    ]);
    let late = '';
    const other = client();
    expect(await text(other)).toBe('closing');
    other.end('after your end');
    await expect.poll(() => late).toBe('after your end');
    await baseline();
  });

  test('a silent connection stays open, and either side may begin at any time', async () => {
    const accepted: Socket[] = [];
    await publish([await Replica.tcp('task1', owner, (socket) => accepted.push(socket.resume()))]);
    const socket = client();
    await expect.poll(() => accepted.length).toBe(1);
    accepted[0]?.write('late greeting');
    const greeting = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(greeting.toString()).toBe('late greeting');
    socket.destroy();
    await baseline();
  });

  test('big transfers arrive whole, both ways at once, also to a slow reader', async () => {
    const size = 24 * 1024 * 1024;
    const sent = randomBytes(size);
    await publish([await Replica.tcp('task1', owner, (socket) => socket.pipe(socket), true)]);
    const socket = client();
    const hash = createHash('sha256');
    let received = 0;
    socket.end(sent);
    for await (const chunk of socket) {
      const bytes = chunk as Buffer;
      hash.update(bytes);
      received += bytes.length;
      if (received % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(received).toBe(size);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
    await baseline();
  });

  test('a stalled reader holds bounded bytes and stalls nobody else', async () => {
    let written = 0;
    await publish([
      await Replica.tcp('task1', owner, (socket) => {
        const chunk = Buffer.alloc(64 * 1024);
        socket.once('data', (first: Buffer) => {
          if (first.toString() !== 'flood') {
            socket.end('quick');
            return;
          }
          const pour = (): void => {
            while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
            written += chunk.length;
          };
          socket.on('drain', pour);
          pour();
        });
      }),
    ]);
    const stalled = client();
    stalled.pause();
    stalled.write('flood');
    await expect.poll(() => written).toBeGreaterThan(1024 * 1024);
    for (let index = 0; index < 20; index += 1) {
      const quick = client();
      quick.end('hello');
      expect(await text(quick)).toBe('quick');
    }
    let before = -1;
    await expect
      .poll(
        () => {
          const stands = written === before;
          before = written;
          return stands;
        },
        { interval: 200 },
      )
      .toBe(true);
    expect(written).toBeLessThan(32 * 1024 * 1024);
    stalled.destroy();
    await baseline();
  });

  test('a reset is passed on as a reset, both ways', async () => {
    const accepted: Socket[] = [];
    await publish([await Replica.tcp('task1', owner, (socket) => accepted.push(socket.resume()))]);
    const first = client();
    first.write('\u0000');
    await expect.poll(() => accepted.length).toBe(1);
    const failed = new Promise<Error>((resolve) => first.once('error', resolve));
    accepted[0]?.resetAndDestroy();
    expect((await failed).message).toMatch(/ECONNRESET/);

    const second = client();
    second.write('\u0000');
    await expect.poll(() => accepted.length).toBe(2);
    const cut = new Promise<boolean>((resolve) => accepted[1]?.once('close', resolve));
    second.resetAndDestroy();
    expect(await cut).toBe(true);
    await baseline();
  });

  test('connections go round the replicas, refused dials to the next', async () => {
    const named = (taskId: string): Promise<Replica> =>
      Replica.tcp(taskId, owner, (socket) => {
        socket.end(taskId);
        socket.resume();
      });
    await publish([await named('task1'), Replica.dead('dead', owner), await named('task2')], 'tcp');
    const heard: string[] = [];
    for (let index = 0; index < 8; index += 1) {
      const socket = client();
      heard.push(await text(socket));
      socket.end();
    }
    expect(heard.filter((taskId) => taskId === 'task1').length).toBeGreaterThanOrEqual(3);
    expect(heard.filter((taskId) => taskId === 'task2').length).toBeGreaterThanOrEqual(3);
    await baseline();
  });

  test('without a replica the connection is reset, not left hanging', async () => {
    await front.close();
    front = await MeshNode.start(ca.identity('node1'), 300);
    nodes = [front, ...nodes.slice(1)];
    await publish([Replica.dead('dead', owner)], 'tcp');
    const socket = client();
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toMatch(/ECONNRESET/);
    await baseline();
  });

  test('clients that vanish in any state leave nothing behind', async () => {
    await publish([
      await Replica.tcp('task1', owner, (socket) => {
        socket.on('data', (chunk: Buffer) => socket.write(chunk));
        socket.on('end', () => socket.end());
      }),
    ]);
    await Promise.all(
      Array.from({ length: 120 }, async (_none, index) => {
        const socket = client();
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('connect', resolve));
        if (index % 4 !== 0) socket.write(index % 4 === 1 ? 'GET ' : '\u0001binary');
        if (index % 4 === 2) await new Promise((resolve) => socket.once('data', resolve));
        if (index % 3 === 0) socket.resetAndDestroy();
        else if (index % 3 === 1) socket.destroy();
        else {
          socket.end();
          socket.resume();
        }
      }),
    );
    await baseline();
  });
});

/** All that the other side says until it ends its direction; the socket can still be written to. */
function text(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.once('end', () => {
      resolve(heard);
    });
    socket.once('error', reject);
  });
}
