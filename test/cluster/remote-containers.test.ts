import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.js';
import { BaleError } from '../../core/errors.js';
import { createLogger } from '../../core/logger.js';
import { EngineClient } from '../../daemon/engine-client.js';
import { EngineFactsSource } from '../../daemon/engine-facts.js';
import { createFront, type Front } from '../../daemon/front.js';
import { SharedEngineEvents } from '../../daemon/shared-engine-events.js';
import { RemoteContainers } from '../../daemon/remote-containers.js';
import type { TaskContainer } from '../../manager/containers/task-containers.js';
import { EngineServer } from '../support/engine-server.js';
import { answerOf, readAll, readUntil, SocketClient } from '../support/socket-client.js';

const ID = 'c'.repeat(64);
const EXEC = 'e'.repeat(64);
const NODE = 'n'.repeat(25);
const SWITCH =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

const CONTAINER: TaskContainer = {
  ...{ by: 'name', taskId: 't', name: 'web.1.t', node: { id: NODE, hostname: 'h2' }, containerId: ID },
  ...{ state: 'running', ended: false, reason: 'started' },
};

/** Before two Engines: this node's, and that of another node that runs `web.1`. */
class House {
  readonly client: SocketClient;
  /** `METHOD url` of all requests that an Engine got. */
  readonly asked: { own: string[]; other: string[] } = { own: [], other: [] };
  /** Connections to the other node. */
  readonly opened: Duplex[] = [];
  /** What the manager knows of each name. */
  readonly known = new Map<string, TaskContainer>([['web.1.t', CONTAINER]]);
  /** How the node is reached; a test may set another way. */
  open: (nodeId: string, signal: AbortSignal) => Promise<Duplex>;
  readonly own: EngineServer;
  readonly other: EngineServer;
  readonly #root: string;
  readonly #front: Front;

  private constructor(root: string) {
    this.#root = root;
    this.own = new EngineServer(join(root, 'own.sock'));
    this.other = new EngineServer(join(root, 'other.sock'));
    this.open = async (nodeId) => {
      if (nodeId !== NODE) throw new Error(`opened ${nodeId}`);
      const socket = connect({ path: this.other.socketPath, allowHalfOpen: true });
      await once(socket, 'connect');
      this.opened.push(socket);
      return socket;
    };
    const engine = new EngineClient(this.own.socketPath);
    const remote = new RemoteContainers(engine, this.own.socketPath, () => ({
      nodeId: 'own',
      containers: {
        find: (reference) => {
          const container = this.known.get(reference);
          return container === undefined ? { kind: 'none' } : { kind: 'container', container };
        },
      },
      streams: { open: (nodeId, signal) => this.open(nodeId, signal) },
    }));
    const logger = createLogger('silent');
    const engineSocket = this.own.socketPath;
    this.#front = createFront({
      engineSocket,
      engine,
      facts: new EngineFactsSource(engine),
      swarmState: () => 'active/manager',
      api: () => Promise.reject(new Error('no cluster API here')),
      events: () => undefined,
      engineEvents: new SharedEngineEvents({ engineSocket, clock: systemClock, logger }),
      clock: systemClock,
      remote: (request) => remote.callOf(request),
      logger,
    });
    this.client = new SocketClient(join(root, 'bale.sock'));
    for (const name of ['own', 'other'] as const) {
      this[name].behave = (request, response) => {
        this.asked[name].push(`${request.method ?? ''} ${request.url ?? ''}`);
        response.writeHead(404, { 'Content-Type': 'application/json' });
        response.end('{"message":"No such container"}');
      };
    }
  }

  static async start(): Promise<House> {
    const root = await mkdtemp(join(tmpdir(), 'remote-containers-'));
    const house = new House(root);
    await Promise.all([house.own.start(), house.other.start()]);
    house.#front.server.listen(join(root, 'bale.sock'));
    await once(house.#front.server, 'listening');
    return house;
  }

  async end(): Promise<void> {
    await this.#front.close();
    await Promise.all([this.own.stop(), this.other.stop()]);
    await rm(this.#root, { recursive: true, force: true });
  }
}

let house: House;
beforeEach(async () => {
  house = await House.start();
});
afterEach(() => house.end());

/** The other node's Engine answers with this document. */
const otherAnswers = (document: string, status = 200): void => {
  house.other.behave = (request, response) => {
    house.asked.other.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response.writeHead(status, { 'Content-Type': 'application/json', 'X-Of-Engine': 'kept' });
    response.end(document);
  };
};

const upgradeOf = (path: string, body = '{}'): string =>
  `POST ${path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
  `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('a request for a container', () => {
  test('of another node is answered by that node, under the id of the container', async () => {
    otherAnswers(`{"Id":"${ID}"}`);
    const answer = await house.client.ask('/v1.41/containers/web.1.t/json?size=1');
    expect([answer.status, answer.text, answer.headers['x-of-engine']]).toEqual([200, `{"Id":"${ID}"}`, 'kept']);
    expect(house.asked.other).toEqual([`GET /v1.41/containers/${ID}/json?size=1`]);
    expect(house.asked.own).toEqual(['GET /containers/web.1.t/json']);
  });

  test('that this Engine has under the same name is answered by this Engine', async () => {
    house.own.behave = (_request, response) => {
      response.end('{"Id":"mine"}');
    };
    expect((await house.client.ask('/containers/web.1.t/json')).text).toBe('{"Id":"mine"}');
    expect(house.opened).toEqual([]);
  });

  test('by its whole id is not asked for here', async () => {
    house.known.set(ID, { ...CONTAINER, by: 'container-id' });
    otherAnswers('{}');
    await house.client.ask(`/containers/${ID}/json`);
    expect(house.asked).toEqual({ own: [], other: [`GET /containers/${ID}/json`] });
  });

  test('that is no task costs no question', async () => {
    expect((await house.client.ask('/containers/box/json')).status).toBe(404);
    expect(house.asked.own).toEqual(['GET /containers/box/json']);
  });

  test('is answered by the node while the Engine here is down', async () => {
    await house.own.stop();
    otherAnswers('{}');
    expect((await house.client.ask('/containers/web.1.t/json')).status).toBe(200);
  });

  test('that a task has no more is refused with its state; the Engine here is asked before', async () => {
    house.known.set('web.1.t', { ...CONTAINER, ended: true, state: 'failed', reason: 'task: non-zero exit (3)' });
    const answer = await house.client.ask('/containers/web.1.t/exec', { method: 'POST', body: { Cmd: ['true'] } });
    expect([answer.status, answer.text]).toEqual([
      409,
      '{"message":"Container web.1.t is not running: its task on node h2 is failed: task: non-zero exit (3)"}\n',
    ]);
    expect(house.asked.own).toEqual(['GET /containers/web.1.t/json']);
  });

  test('of a node that is not connected says so, with the status of that failure', async () => {
    house.open = () =>
      Promise.reject(new BaleError('node h2 has no session', { kind: 'unavailable', code: 'BALE_NODE_NOT_CONNECTED' }));
    const answer = await house.client.ask('/containers/web.1.t/top');
    expect([answer.status, answer.text]).toEqual([
      503,
      '{"message":"cannot reach web.1.t on node h2: node h2 has no session"}\n',
    ]);
  });

  test('whose node dies before it answers says so', async () => {
    house.other.behave = () => {
      for (const connection of house.opened) connection.destroy();
    };
    const answer = await house.client.ask('/containers/web.1.t/top');
    expect(answer.status).toBe(503);
    expect(answer.text).toMatch(/cannot reach web\.1\.t on node h2: /);
  });

  test('whose node dies in the middle of the answer does not look complete', async () => {
    house.other.behave = (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
      response.write('some of the log');
    };
    const answer = await answerOf(house.client.open('/containers/web.1.t/logs?follow=1').end());
    await once(answer, 'data');
    const rest = readAll(answer);
    house.opened[0]?.destroy();
    await expect(rest).rejects.toThrow();
  });

  test('that its client gives up ends at the node', async () => {
    const arrived = new Promise<void>((resolve) => {
      house.other.behave = (request, response) => {
        response.writeHead(200).flushHeaders();
        request.on('close', resolve);
      };
    });
    const call = house.client.open('/containers/web.1.t/stats').end();
    await answerOf(call);
    call.on('error', () => undefined);
    call.destroy();
    await arrived;
  });

  test('that its client gives up while the node is not yet reached leaves no connection', async () => {
    let reached = (_stream: Duplex): void => undefined;
    const asked = new Promise<AbortSignal>((resolve) => {
      house.open = (_nodeId, signal) =>
        new Promise((opened) => {
          reached = opened;
          resolve(signal);
        });
    });
    const call = house.client.open('/containers/web.1.t/stats').end();
    call.on('error', () => undefined);
    const signal = await asked;
    call.destroy();
    await once(signal, 'abort');
    const late = connect(house.other.socketPath);
    await once(late, 'connect');
    reached(late);
    await once(late, 'close');
  });

  test('with a body of megabytes arrives whole, and the answer too', async () => {
    const sent = Buffer.alloc(9_000_000, 'bytes');
    let arrived: Promise<Buffer> = Promise.reject(new Error('nothing came'));
    arrived.catch(() => undefined);
    house.other.behave = (request, response) => {
      arrived = readAll(request);
      void arrived.then(() => response.end(sent));
    };
    const call = house.client.open('/containers/web.1.t/archive?path=/x', { method: 'PUT' });
    call.end(sent);
    const answer = await readAll(await answerOf(call));
    expect((await arrived).equals(sent)).toBe(true);
    expect(answer.equals(sent)).toBe(true);
  });
});

describe('an exec in a container of another node', () => {
  test('gets an id that leads back to the node, in all that follows', async () => {
    otherAnswers(`{"Id":"${EXEC}"}\n`, 201);
    const made = await house.client.ask('/containers/web.1.t/exec', { method: 'POST', body: { Cmd: ['sh'] } });
    const { Id } = JSON.parse(made.text) as { Id: string };
    expect([made.status, Id, made.headers['content-length']]).toEqual([
      201,
      `${EXEC}.${NODE}`,
      String(made.text.length),
    ]);
    otherAnswers(`{"ID":"${EXEC}","ExitCode":3}`);
    expect(await house.client.document(`/exec/${Id}/json`)).toEqual({ ID: Id, ExitCode: 3 });
    await house.client.ask(`/exec/${Id}/resize?h=5&w=6`, { method: 'POST' });
    expect(house.asked.other).toEqual([
      `POST /containers/${ID}/exec`,
      `GET /exec/${EXEC}/json`,
      `POST /exec/${EXEC}/resize?h=5&w=6`,
    ]);
    expect(house.asked.own).toEqual(['GET /containers/web.1.t/json']);
  });

  test('is one pipe to the node, in which each direction ends by itself', async () => {
    const arrived = house.other.nextUpgrade();
    const client = await house.client.connect();
    client.write(upgradeOf(`/v1.41/exec/${EXEC}.${NODE}/start`, '{"Tty":false}'));
    const { url, socket, head } = await arrived;
    expect(url).toBe(`/v1.41/exec/${EXEC}/start`);
    let got = head.toString();
    while (!got.endsWith('{"Tty":false}')) got += String((await once(socket, 'data'))[0]);
    socket.write(`${SWITCH}hello`);
    expect(await readUntil(client, 'hello')).toBe(`${SWITCH}hello`);
    client.end('all of the input');
    expect((await readAll(socket)).toString()).toBe('all of the input');
    socket.end('all of the output');
    expect((await readAll(client)).toString()).toBe('all of the output');
  });

  test('ends at the client when its node dies, and at the node when its client goes', async () => {
    for (const end of ['node', 'client'] as const) {
      const arrived = house.other.nextUpgrade();
      const client = await house.client.connect();
      client.write(upgradeOf(`/exec/${EXEC}.${NODE}/start`));
      const { socket } = await arrived;
      socket.write(SWITCH);
      await readUntil(client, '\r\n\r\n');
      const closed = once(end === 'node' ? client.resume() : socket.resume(), 'end');
      if (end === 'node') house.opened.at(-1)?.destroy();
      else client.destroy();
      await closed;
      client.destroy();
    }
  });

  test('whose node cannot be reached gets the cause as the last answer of its connection', async () => {
    house.open = () => Promise.reject(new Error('it is down'));
    const client = await house.client.connect();
    client.write(upgradeOf(`/exec/${EXEC}.${NODE}/start`));
    expect((await readAll(client)).toString()).toMatch(
      /^HTTP\/1.1 503 [^]*cannot reach exec instance e{12} on node n{25}: it is down/,
    );
    client.destroy();
  });

  test('that the node refuses gets its words', async () => {
    house.other.upgrade = (_request, socket) => {
      socket.end(
        'HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{"message":"not running"}',
      );
    };
    const client = await house.client.connect();
    client.write(upgradeOf(`/exec/${EXEC}.${NODE}/start`));
    expect((await readAll(client)).toString()).toMatch(/^HTTP\/1.1 409 Conflict\r\n[^]*not running/);
    client.destroy();
  });

  test('brings megabytes both ways', async () => {
    const arrived = house.other.nextUpgrade();
    const client = await house.client.connect();
    client.write(upgradeOf(`/exec/${EXEC}.${NODE}/start`, ''));
    const { socket } = await arrived;
    socket.write(SWITCH);
    await readUntil(client, '\r\n\r\n');
    socket.pipe(socket);
    const sent = Buffer.alloc(8 * 1024 * 1024, 'x');
    const echoed = readAll(client);
    client.end(sent);
    expect((await echoed).equals(sent)).toBe(true);
  });
});
