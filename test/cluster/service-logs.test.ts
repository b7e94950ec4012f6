import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { framesOf } from '../../cli/logs/frames.js';
import type { LogQuery } from '../../manager/logs/log-options.js';
import type { LogStream } from '../../manager/logs/logs.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { EngineServer } from '../support/engine-server.js';
import { LoggedContainer, serveLogs } from '../support/log-engine.js';

const QUERY: LogQuery = {
  follow: false,
  stdout: true,
  stderr: true,
  timestamps: false,
  details: false,
  since: undefined,
  until: undefined,
  tail: undefined,
};
const START = Date.parse('2026-01-01T00:00:00.000Z');

/** A manager and two workers; one small Engine holds the logs of all their containers. */
let cluster: TestCluster;
let engine: EngineServer;
let directory: string;
let containers: Map<string, LoggedContainer>;
let open: Readable[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-logs-'));
  engine = new EngineServer(join(directory, 'engine.sock'));
  await engine.start();
  cluster = await startCluster({ workers: 2, engineSocket: engine.socketPath });
  containers = new Map();
  open = [];
  serveLogs(engine, containers);
});

afterEach(async () => {
  for (const body of open) body.destroy();
  await cluster.close();
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
});

const containerIdOf = ({ Status }: TaskDocument): string => Status.ContainerStatus?.ContainerID ?? '';

/** The container of a task, known to the Engine from now on. */
function containerOf(task: TaskDocument, tty = false): LoggedContainer {
  const known = containers.get(containerIdOf(task));
  if (known !== undefined) return known;
  const container = new LoggedContainer(task.NodeID ?? '', tty);
  containers.set(containerIdOf(task), container);
  return container;
}

async function service(name: string, replicas: number, tty = false): Promise<readonly LoggedContainer[]> {
  await cluster.createService(
    name,
    replicas,
    tty ? { TaskTemplate: { ContainerSpec: { Image: 'i', TTY: true } } } : {},
  );
  await cluster.untilRunning(name, replicas);
  return [...cluster.running(name)].sort((a, b) => (a.Slot ?? 0) - (b.Slot ?? 0)).map((task) => containerOf(task, tty));
}

function logs(name: string, over: Partial<LogQuery> = {}): LogStream {
  const stream = cluster.manager.logs.ofService(name, { ...QUERY, ...over });
  open.push(stream.body);
  return stream;
}

/** Lines as `stdout text`, in the order in which they come. */
async function* linesOf({ body }: LogStream): AsyncGenerator<string> {
  for await (const { kind, payload } of framesOf(body as AsyncIterable<Buffer>)) {
    yield `${kind} ${payload.toString().trimEnd()}`;
  }
}

async function all(stream: LogStream): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(stream)) lines.push(line);
  return lines;
}

/** The next lines of a log that is followed. */
async function take(lines: AsyncGenerator<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const next = await lines.next();
    if (next.done === true) throw new Error(`the log ended behind ${JSON.stringify(taken)}`);
    taken.push(next.value);
  }
  return taken;
}

const WARNING =
  'error Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for the following reasons: ';

describe('the logs of a service', () => {
  test('are those of all its tasks in order of time, both streams', async () => {
    const all6 = await service('web', 6);
    for (const [index, container] of all6.entries()) {
      for (let line = 0; line < 50; line += 1) {
        container.write(`${line}.${index}`, START + line * 10 + index, line % 2 === 0 ? 'stdout' : 'stderr');
      }
    }
    const expected = Array.from({ length: 300 }, (_, number) => {
      const line = Math.floor(number / 6);
      return `${line % 2 === 0 ? 'stdout' : 'stderr'} ${line}.${number % 6}`;
    });
    expect(await all(logs('web'))).toEqual(expected);
    expect(await all(logs('web', { stderr: false }))).toEqual(expected.filter((line) => line.startsWith('stdout')));
  });

  test('name node, service and task of each line, and its time', async () => {
    const [container] = await service('web', 1);
    container?.write('hello', START);
    const [task] = cluster.running('web');
    expect(await all(logs('web', { details: true, timestamps: true }))).toEqual([
      `stdout 2026-01-01T00:00:00.000000000Z com.docker.swarm.node.id=${task?.NodeID ?? ''},com.docker.swarm.service.id=${task?.ServiceID ?? ''},com.docker.swarm.task.id=${task?.ID ?? ''} hello`,
    ]);
  });

  test('have a tail for each task, and begin at a time', async () => {
    const [first, second] = await service('web', 2);
    for (let line = 0; line < 10; line += 1) {
      first?.write(`a${line}`, START + line * 1000);
      second?.write(`b${line}`, START + line * 1000 + 1);
    }
    expect(await all(logs('web', { tail: '2' }))).toEqual(['stdout a8', 'stdout b8', 'stdout a9', 'stdout b9']);
    expect(await all(logs('web', { tail: '0' }))).toEqual([]);
    expect(await all(logs('web', { since: String(START / 1000 + 9) }))).toEqual(['stdout a9', 'stdout b9']);
  });

  test('of one task are its own', async () => {
    const both = await service('web', 2);
    for (const [index, container] of both.entries()) container.write(`line of ${index + 1}`);
    const task = cluster.running('web').find(({ Slot }) => Slot === 2);
    const stream = cluster.manager.logs.ofTask(task?.ID ?? '', QUERY);
    expect(await all(stream)).toEqual(['stdout line of 2']);
  });

  test('are raw text with a terminal', async () => {
    const [container] = await service('web', 1, true);
    container?.write('a\r', START);
    container?.write('b\r', START + 1);
    const { multiplexed, body } = logs('web', { timestamps: true });
    expect(multiplexed).toBe(false);
    let text = '';
    for await (const chunk of body as AsyncIterable<Buffer>) text += chunk.toString();
    expect(text).toBe('2026-01-01T00:00:00.000000000Z a\r\n2026-01-01T00:00:00.001000000Z b\r\n');
  });

  test('come without those of a node that is away, and say so', async () => {
    const all3 = await service('web', 3);
    for (const container of all3) container.write(`of ${container.nodeId}`);
    const away = cluster.workers[0];
    away?.kill();
    const lines = await all(logs('web'));
    const rest = all3.filter(({ nodeId }) => nodeId !== away?.id).map(({ nodeId }) => `stdout of ${nodeId}`);
    expect(lines.slice(0, -1).sort()).toEqual(rest.sort());
    expect(rest.length).toBeLessThan(3);
    expect(lines.at(-1)).toBe(`${WARNING}node ${away?.id ?? ''} is not available`);
  });

  test('say in the words of the Engine what cannot be read', async () => {
    const [first, second] = await service('web', 2);
    first?.write('fine');
    if (second !== undefined) {
      second.refusal = { status: 500, message: 'configured logging driver does not support reading' };
    }
    const task = cluster.running('web').find(({ Slot }) => Slot === 2);
    expect(await all(logs('web'))).toEqual([
      'stdout fine',
      `${WARNING}task ${task?.ID ?? ''}: configured logging driver does not support reading`,
    ]);
  });

  test('say that a container is gone', async () => {
    await service('web', 1);
    const [task] = cluster.running('web');
    containers.clear();
    expect(await all(logs('web'))).toEqual([
      `${WARNING}task ${task?.ID ?? ''}: No such container: ${task === undefined ? '' : containerIdOf(task)}`,
    ]);
  });

  test('say which tasks have no node yet', async () => {
    await cluster.createService('web', 1, {
      TaskTemplate: { ContainerSpec: { Image: 'i' }, Placement: { Constraints: ['node.labels.no == where'] } },
    });
    await cluster.until('a task', () => cluster.tasks('web').length === 1);
    expect(await all(logs('web'))).toEqual([
      `${WARNING}task ${cluster.tasks('web')[0]?.ID ?? ''} has not been scheduled`,
    ]);
  });

  test('are refused for a service or a task that is not there', () => {
    expect(() => cluster.manager.logs.ofService('none', QUERY)).toThrow('service none not found');
    expect(() => cluster.manager.logs.ofTask('none', QUERY)).toThrow('task none not found');
  });
});

describe('the logs of a service that are followed', () => {
  test('go on, and new tasks join them with all that they wrote', async () => {
    const [first] = await service('web', 1);
    first?.write('old');
    const lines = linesOf(logs('web', { follow: true, tail: '1' }));
    expect(await take(lines, 1)).toEqual(['stdout old']);
    first?.write('new');
    expect(await take(lines, 1)).toEqual(['stdout new']);
    // Known to the Engine before the manager hears that it runs.
    const unwatch = cluster.manager.onCommit(() => {
      for (const task of cluster.running('web')) {
        if (containers.has(containerIdOf(task))) continue;
        const container = containerOf(task);
        container.write('first of the second');
        container.write('second of the second');
      }
    });
    await cluster.scale('web', 2);
    expect(await take(lines, 2)).toEqual(['stdout first of the second', 'stdout second of the second']);
    unwatch();
  });

  test('begin with what there is, in order', async () => {
    const all4 = await service('web', 4);
    for (const [index, container] of all4.entries()) {
      for (let line = 0; line < 25; line += 1) container.write(`${line}.${index}`, START + line * 10 + index);
    }
    const expected = Array.from({ length: 100 }, (_, number) => `stdout ${Math.floor(number / 4)}.${number % 4}`);
    expect(await take(linesOf(logs('web', { follow: true })), 100)).toEqual(expected);
  });

  test('are in order when lines of several tasks come within the window', async () => {
    const [first, second] = await service('web', 2);
    const lines = linesOf(logs('web', { follow: true }));
    first?.write('start', START);
    expect(await take(lines, 1)).toEqual(['stdout start']);
    const now = Date.now();
    second?.write('later', now + 5);
    first?.write('earlier', now);
    expect(await take(lines, 2)).toEqual(['stdout earlier', 'stdout later']);
  });

  test('go on without a node that is away, say so once, and have it back with what was missed', async () => {
    const all3 = await service('web', 3);
    const away = cluster.workers[0];
    const absent = all3.find(({ nodeId }) => nodeId === away?.id);
    const present = all3.find(({ nodeId }) => nodeId !== away?.id);
    const lines = linesOf(logs('web', { follow: true }));
    absent?.write('before');
    expect(await take(lines, 1)).toEqual(['stdout before']);
    away?.kill();
    const [told] = await take(lines, 1);
    expect(told).toMatch(/^stderr bale: the log of this task cannot be read: the connection to node .* is lost/);
    present?.write('meanwhile');
    expect(await take(lines, 1)).toEqual(['stdout meanwhile']);
    absent?.write('missed');
    await away?.startAgent();
    expect(await take(lines, 1)).toEqual(['stdout missed']);
  });

  test('end with the service', async () => {
    const [container] = await service('web', 1);
    const stream = logs('web', { follow: true });
    container?.write('last');
    const lines = linesOf(stream);
    expect(await take(lines, 1)).toEqual(['stdout last']);
    await cluster.api.removeService('web');
    container?.end();
    expect((await lines.next()).done).toBe(true);
  });

  test('let go of the Engines when the client leaves', async () => {
    const [container] = await service('web', 1);
    const stream = logs('web', { follow: true });
    container?.write('x');
    await once(stream.body, 'readable');
    const [follower] = container?.followers ?? [];
    const closed = follower === undefined ? Promise.reject(new Error('nobody follows')) : once(follower, 'close');
    stream.body.destroy();
    await closed;
  });
});

describe('a client that does not read', () => {
  test('holds back its own logs, within bounded memory, and no other client', { timeout: 180_000 }, async () => {
    const writers = await service('web', 60);
    const text = 'x'.repeat(200);
    let written = 0;
    // Each container writes as fast as its Engine can hand it on.
    for (const container of writers) {
      container.lines.push({ stream: 'stdout', timestamp: '2026-01-01T00:00:00.000000000Z', text });
      const pump = (response: NodeJS.WritableStream): void => {
        do written += 1;
        while (response.write(container.encode(container.lines[0] ?? { stream: 'stdout', timestamp: '', text })));
        response.once('drain', () => {
          pump(response);
        });
      };
      const add = container.followers.add.bind(container.followers);
      container.followers.add = (response) => {
        pump(response);
        return add(response);
      };
    }
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    const slow = logs('web', { follow: true });
    await once(slow.body, 'readable');
    const quick = linesOf(logs('web', { follow: true }));
    const count = written;
    await take(quick, 5_000);
    expect(written).toBeGreaterThan(count + 4_000);
    // Both ends of 120 streams and the Engine are in this process.
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(250);
    const [line] = await take(linesOf(slow), 1);
    expect(line).toBe(`stdout ${text}`);
  });
});
