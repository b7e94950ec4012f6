import { readdirSync } from 'node:fs';
import { Agent, request, type ClientRequest, type RequestListener } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestCa } from '../support/identities.js';
import { endpointTable, loopback, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

/** A cable between two nodes that can be cut: bytes then vanish without a word. */
class Cable {
  readonly address = `${loopback()}:2378`;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  constructor(to: string) {
    const [host, port] = to.split(':');
    this.#server = createServer((near) => {
      const far = connect(Number(port), host);
      for (const [from, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => undefined);
        from.on('data', (chunk: Buffer) => {
          if (!this.#isCut) other.write(chunk);
        });
        from.on('close', () => {
          if (!this.#isCut) other.destroy();
        });
      }
    });
  }

  async open(): Promise<void> {
    const [host, port] = this.address.split(':');
    await new Promise<void>((resolve) => this.#server.listen(Number(port), host, resolve));
  }

  cut(): void {
    this.#isCut = true;
  }

  mend(): void {
    this.#isCut = false;
    // What was silent is lost for good, as over a real cable that was out too long.
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

let ca: TestCa;
let front: MeshNode;
let owner: MeshNode;
let cable: Cable;
let replicas: Replica[];
let agent: Agent;

beforeEach(async () => {
  ca = await TestCa.create();
  front = await MeshNode.start(ca.identity('node1'));
  owner = await MeshNode.start(ca.identity('node2'));
  cable = new Cable(owner.config.listenAddr);
  await cable.open();
  replicas = [];
  agent = new Agent({ keepAlive: true, maxSockets: 4 });
});

afterEach(async () => {
  agent.destroy();
  await Promise.all([front, owner].map((node) => node.close()));
  cable.close();
  await Promise.all(replicas.map((replica) => replica.stop()));
});

async function publish(...list: Replica[]): Promise<void> {
  replicas.push(...list.filter((replica) => !replicas.includes(replica)));
  for (const node of [front, owner]) {
    node.setLocals(list.filter(({ nodeId }) => nodeId === node.nodeId).map(({ local }) => local));
  }
  const nodes = [front.peer, { nodeId: 'node2', meshAddr: cable.address }];
  const table = endpointTable(ca.clusterId, nodes, [publishedPort(list.map((replica) => replica.endpoint()))]);
  await Promise.all([front, owner].map((node) => node.setTable(table)));
}

const remote = (taskId: string, listener?: RequestListener): Promise<Replica> =>
  Replica.http(taskId, 'node2', listener);

const send = (
  options: { method?: string; path?: string } = {},
  onSent?: (sent: ClientRequest) => void,
): ClientRequest =>
  request({ host: front.address, port: 8080, agent, ...options }).on('socket', function once(this: ClientRequest) {
    onSent?.(this);
  });

const ask = (body?: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = send({ method: body === undefined ? 'GET' : 'POST' });
    sent.once('error', reject);
    sent.once('response', (answer) => {
      let text = `${answer.statusCode ?? 0} `;
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.once('error', reject);
      answer.once('end', () => {
        resolve(text);
      });
    });
    sent.end(body);
  });

const openSockets = (): number => readdirSync('/proc/self/fd').length;

describe('HTTP through a tunnel', () => {
  test('requests go round replicas of all nodes, over tunnels that are reused', async () => {
    await publish(await Replica.http('task1', 'node1'), await remote('task2'), await remote('task3'));
    const answers: string[] = [];
    for (let index = 0; index < 12; index += 1) answers.push(await ask());
    expect(new Set(answers)).toEqual(new Set(['200 task1', '200 task2', '200 task3']));
    expect(owner.mesh.open.tunnels).toBe(2);
    expect(answers.filter((answer) => answer.endsWith('2'))).toHaveLength(4);
  });

  test('a POST of 1 MiB arrives whole, past a task that is gone from its node', async () => {
    const size = await remote('size', (incoming, outgoing) => {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
      incoming.once('end', () => outgoing.end(String(bytes)));
    });
    await publish(Replica.dead('gone', 'node2'), size);
    for (let index = 0; index < 4; index += 1) expect(await ask(Buffer.alloc(1_048_576))).toBe('200 1048576');
  });

  test('what is sent arrives byte for byte, whatever its size', async () => {
    await publish(
      await remote('echo', (incoming, outgoing) => {
        outgoing.setHeader('X-Method', incoming.method ?? '');
        incoming.pipe(outgoing);
      }),
    );
    for (const size of [0, 1, 100, 16_383, 70_000]) {
      const body = Buffer.alloc(size, 'abcdefgh');
      for (let index = 0; index < 10; index += 1) expect(await ask(body)).toBe(`200 ${body.toString()}`);
    }
  });

  test('an answer without a length that is cut never looks complete', async () => {
    let cut: (() => void) | undefined;
    const replica = await Replica.tcp('task1', 'node2', (socket) => {
      cut = () => socket.resetAndDestroy();
      socket.once('data', () => socket.write('HTTP/1.0 200 OK\r\n\r\nhalf of it'));
    });
    await publish(replica);
    const answer = new Promise((resolve, reject) => {
      const sent = send();
      sent.once('error', reject);
      sent.once('response', (half) => {
        half.once('data', () => cut?.());
        half.once('error', reject);
        half.once('end', resolve);
      });
      sent.end();
    });
    await expect(answer).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    await expect.poll(() => front.mesh.open.inFlight).toBe(0);
  });

  test('one that ends in order does', async () => {
    const replica = await Replica.tcp('task1', 'node2', (socket) => {
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    });
    await publish(replica);
    expect(await ask()).toBe('200 all of it');
  });

  test('clients that leave in any state leave no request, tunnel or socket behind', async () => {
    await publish(
      await remote('task2', (incoming, outgoing) => {
        if (incoming.url === '/silent') return;
        outgoing.write('x');
        if (incoming.url === '/done') outgoing.end();
      }),
    );
    await ask0('/done');
    agent.destroy();
    const before = openSockets();
    await Promise.all(
      Array.from({ length: 150 }, (_none, index) => {
        const path = ['/silent', '/half', '/done'][index % 3] ?? '';
        return new Promise<void>((resolve) => {
          const sent = request({
            host: front.address,
            port: 8080,
            agent: false,
            path,
            method: index % 2 ? 'POST' : 'GET',
          });
          sent.on('error', () => undefined);
          sent.once('close', resolve);
          if (path === '/silent') setTimeout(() => sent.destroy(), 20 + index);
          else sent.once('response', (answer) => answer.once('data', () => sent.destroy()));
          if (index % 2) sent.write('part of a body');
          else sent.end();
        });
      }),
    );
    await expect.poll(() => front.mesh.open.inFlight).toBe(0);
    await expect.poll(() => front.mesh.open.clients).toBe(0);
    await front.setTable(endpointTable(ca.clusterId, [front.peer, owner.peer], []));
    await expect.poll(() => owner.mesh.open.tunnels).toBe(0);
    await expect.poll(openSockets).toBeLessThanOrEqual(before);
  });
});

const ask0 = (path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const sent = send({ path });
    sent.once('error', reject);
    sent.once('response', (answer) => answer.resume().once('end', resolve));
    sent.end();
  });

describe('a node that is cut off', () => {
  test('costs at most one slow request per connection under way; soon dials to it fail at once; mended, it serves again', async () => {
    await publish(await Replica.http('task1', 'node1'), await remote('task2'));
    for (let index = 0; index < 4; index += 1) await ask();
    cable.cut();
    const cutAt = performance.now();
    // Bodies, so that each is dialled anew.
    const answers: string[] = [];
    const times: number[] = [];
    while (times.length < 40) {
      const began = performance.now();
      answers.push(await ask(Buffer.from('x')));
      // By then its session has ended for want of answers, and the next attempt has failed.
      if (began - cutAt > 4_000) times.push(performance.now() - began);
    }
    expect(new Set(answers)).toEqual(new Set(['200 task1']));
    // A dial in vain may take 10 s. A busy machine makes some requests slow, but not many in a row.
    expect(times.filter((ms) => ms > 1_000).length).toBeLessThan(4);
    cable.mend();
    await expect.poll(() => ask(Buffer.from('x'))).toBe('200 task2');
  });
});
