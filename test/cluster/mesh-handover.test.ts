import { Agent } from 'node:http';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { killProcess } from '../../agent/mesh-link/mesh-member.js';
import type { MeshProcessLink } from '../../agent/mesh-link/mesh-process.js';
import { eventually } from '../support/eventually.js';
import { TestCa } from '../support/identities.js';
import { ask, Echo, Load } from '../support/mesh-clients.js';
import { compileMesh, gone, MeshFleet, reported, type MeshProgram } from '../support/mesh-fleet.js';
import { endpointTable, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

const ECHO_PORT = 9000;
const FAR_PORT = 9001;

let program: MeshProgram;
let ca: TestCa;
let fleet: MeshFleet;
let replicas: Replica[];
/** Another node: dials replicas of this one, and runs one. In a process of its own too: one that pauses for a second is taken for gone. */
let other: MeshFleet;
let otherLink: MeshProcessLink;

beforeAll(async () => {
  program = await compileMesh();
  ca = await TestCa.create();
});

afterAll(() => program.dispose());

beforeEach(async () => {
  fleet = await MeshFleet.create(program, ca.identity('node1'));
  other = await MeshFleet.create(program, ca.identity('node2'));
  otherLink = await other.link();
  replicas = [
    await Replica.http('web1', 'node1'),
    await Replica.http('web2', 'node1'),
    await Replica.tcp('echo', 'node1', (socket) => socket.pipe(socket)),
    await Replica.tcp('far', 'node2', (socket) => socket.pipe(socket)),
  ];
  for (const web of replicas.slice(0, 2)) {
    web.onUpgrade((_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
  }
});

afterEach(async () => {
  await fleet.close();
  await other.close();
  await Promise.all(replicas.map((replica) => replica.stop()));
});

/** Each node serves all: web1, web2 and echo run on node1, far on node2. */
async function publish(to: MeshProcessLink): Promise<void> {
  const peers = [fleet.peer, other.peer];
  const [web1, web2, echo, far] = replicas.map((replica) => replica.endpoint());
  if (web1 === undefined || web2 === undefined || echo === undefined || far === undefined) throw new Error('replicas');
  const table = endpointTable(ca.clusterId, peers, [
    publishedPort([web1, web2]),
    publishedPort([echo], { publishedPort: ECHO_PORT }),
    publishedPort([far], { publishedPort: FAR_PORT }),
  ]);
  to.setLocals(replicas.filter(({ nodeId }) => nodeId === 'node1').map(({ local }) => local));
  otherLink.setLocals(replicas.filter(({ nodeId }) => nodeId === 'node2').map(({ local }) => local));
  const links = [to, otherLink];
  for (const link of links) link.setTable(table);
  await Promise.all(links.map((link) => reported(link, ({ tableNumber }) => tableNumber === table.number)));
}

describe('a mesh process that is replaced', () => {
  test(
    'cuts nothing: one-shot and kept connections, spliced streams, a WebSocket, tunnels both ways; it ends with its last connection',
    { timeout: 180_000 },
    async () => {
      const only = await fleet.link();
      await publish(only);
      const before = await fleet.leadPid();
      const streams = [
        new Echo(fleet.address, ECHO_PORT),
        new Echo(fleet.address, FAR_PORT),
        new Echo(other.address, ECHO_PORT),
        await Echo.webSocket(fleet.address),
        await Echo.webSocket(other.address),
      ];
      for (const stream of streams) expect(await stream.say('a')).toBe('a');
      const load = new Load([fleet.address, other.address]);
      only.replace();
      const after = await fleet.otherLead(before);
      for (const stream of streams) expect(await stream.say('b')).toBe('b');
      const count = load.answers;
      await eventually('the load to go on', () => Promise.resolve(load.answers > count + 200), { seconds: 60 });
      await load.stop();
      expect(load.failures).toEqual([]);
      expect([...(await fleet.pids())].sort()).toEqual([before, after].sort());
      for (const stream of streams) {
        expect(await stream.say('c')).toBe('c');
        stream.end();
      }
      await gone(before);
      expect(await fleet.pids()).toEqual([after]);
      await publish(only);
    },
  );

  test('ends although another node goes on asking: what that keeps for further requests is given up', async () => {
    const only = await fleet.link();
    await publish(only);
    const before = await fleet.leadPid();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let ended: Promise<unknown> | undefined;
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    for (let asked = 0; !isOver; asked += 1) {
      expect(await ask(other.address, agent)).toMatch(/^200 web/);
      if (asked !== 20) continue;
      only.replace();
      const ending = gone(before);
      ending.then(over, over);
      ended = ending;
    }
    await ended;
    agent.destroy();
  });

  test('is counted until it ends: what is under way in it is in the report', async () => {
    const only = await fleet.link();
    await publish(only);
    const before = await fleet.leadPid();
    const stream = new Echo(fleet.address, ECHO_PORT);
    expect(await stream.say('a')).toBe('a');
    only.replace();
    await fleet.otherLead(before);
    const peers = [{ nodeId: 'node1', meshAddr: fleet.config.listenAddr }];
    const draining = endpointTable(ca.clusterId, peers, [
      publishedPort([{ taskId: 'echo', nodeId: 'node1', targetPort: 80, state: 'draining' }], {
        publishedPort: ECHO_PORT,
      }),
    ]);
    only.setTable(draining);
    const report = await reported(only, ({ tableNumber }) => tableNumber === draining.number);
    expect(report.inFlight).toEqual({ echo: 1 });
    // A daemon that comes back finds both.
    await only.close();
    const next = await fleet.link();
    expect((await reported(next, () => true)).inFlight).toEqual({ echo: 1 });
    stream.end();
    await reported(next, ({ inFlight }) => Object.keys(inFlight).length === 0);
    await gone(before);
  });

  test('by a daemon of another version; a daemon of the same adopts it', async () => {
    const first = await fleet.link();
    await publish(first);
    const pid = await fleet.leadPid();
    await first.close();
    const same = await fleet.link();
    await publish(same);
    expect(await fleet.leadPid()).toBe(pid);
    await same.close();
    const load = new Load([fleet.address]);
    const upgraded = await fleet.link({ changes: { version: '2' } });
    await publish(upgraded);
    await gone(pid);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await fleet.leadPid()).not.toBe(pid);
  });

  test('goes on when its successor cannot start', async () => {
    const first = await fleet.link();
    await publish(first);
    const pid = await fleet.leadPid();
    await first.close();
    const broken = join(fleet.directory, 'broken.js');
    const begun = join(fleet.directory, 'begun');
    await writeFile(broken, `require('fs').writeFileSync(${JSON.stringify(begun)}, ''); process.exit(3);\n`);
    const upgraded = await fleet.link({ changes: { version: '2' }, program: broken });
    await publish(upgraded);
    await eventually('the successor to have tried', async () => (await readdir(fleet.directory)).includes('begun'));
    await publish(upgraded);
    expect(await ask(fleet.address)).toMatch(/^200/);
    expect(await fleet.leadPid()).toBe(pid);
  });

  test.each(['the old one', 'the new one'])(
    '%s killed while it is replaced: one is left and serves',
    async (victim) => {
      const only = await fleet.link();
      await publish(only);
      const before = await fleet.leadPid();
      // So the old one does not end by itself before it is killed.
      const underWay = new Echo(fleet.address, ECHO_PORT);
      expect(await underWay.say('a')).toBe('a');
      only.replace();
      const next = await eventually('a successor', async () => (await fleet.pids()).find((pid) => pid !== before), {
        every: 2,
      });
      killProcess(victim === 'the old one' ? before : next);
      underWay.end();
      await eventually('one fresh process that leads', async () => {
        const pids = await fleet.pids();
        return pids.length === 1 && pids[0] !== before && pids[0] === (await fleet.leadPid());
      });
      await publish(only);
      expect(await ask(fleet.address)).toMatch(/^200/);
      expect(await ask(other.address)).toMatch(/^200/);
    },
  );
});

describe('several mesh processes', () => {
  const settled = (count: number): Promise<unknown> =>
    eventually(`${count} processes that serve`, async () => {
      const pids = await fleet.pids();
      const serving = await Promise.all(pids.map((pid) => listens(pid, 8080)));
      return pids.length === count && serving.every(Boolean);
    });

  test('share the ports, also those published later', async () => {
    const several = await fleet.link({ processes: 2 });
    await publish(several);
    await settled(2);
    await publish(several);
    const late = endpointTable(
      ca.clusterId,
      [],
      [
        publishedPort([{ taskId: 'web1', nodeId: 'node1', targetPort: 80, state: 'active' }], { publishedPort: 8080 }),
        publishedPort([{ taskId: 'echo', nodeId: 'node1', targetPort: 80, state: 'active' }], { publishedPort: 9100 }),
      ],
    );
    several.setTable(late);
    expect((await reported(several, ({ tableNumber }) => tableNumber === late.number)).bindErrors).toEqual([]);
    const lead = await fleet.leadPid();
    const follower = (await fleet.pids()).find((pid) => pid !== lead) ?? 0;
    expect(await listens(follower, 9100)).toBe(true);
    // The follower serves alone what comes while the lead is stopped.
    process.kill(lead, 'SIGSTOP');
    try {
      expect(await ask(fleet.address)).toBe('200 web1');
      const echo = new Echo(fleet.address, 9100);
      expect(await echo.say('x')).toBe('x');
      echo.end();
    } finally {
      process.kill(lead, 'SIGCONT');
    }
  });

  test.each(['lead', 'follower'])('the %s killed: the others go on, and it is replaced', async (victim) => {
    const several = await fleet.link({ processes: 2 });
    await publish(several);
    await settled(2);
    const lead = await fleet.leadPid();
    const killed = (await fleet.pids()).find((pid) => (pid === lead) === (victim === 'lead')) ?? 0;
    process.kill(killed, 'SIGKILL');
    await gone(killed);
    expect(await ask(fleet.address)).toMatch(/^200/);
    await settled(2);
    await publish(several);
    expect(await ask(fleet.address)).toMatch(/^200/);
  });
});

test('a mesh process that hangs is replaced', { timeout: 60_000 }, async () => {
  const only = await fleet.link();
  await publish(only);
  const pid = await fleet.leadPid();
  process.kill(pid, 'SIGSTOP');
  await gone(pid);
  await eventually('the port to be served again', async () => (await ask(fleet.address)).startsWith('200'));
});

/** Whether the process holds a socket that listens on this port. */
async function listens(pid: number, port: number): Promise<boolean> {
  const state = ` ${'0'.repeat(8)}:0000 0A `;
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = (await readFile('/proc/net/tcp', 'latin1'))
    .split('\n')
    .filter((line) => line.includes(state))
    .map((line) => line.trim().split(/\s+/))
    .flatMap((fields) => (fields[1]?.endsWith(suffix) === true ? [`socket:[${fields[9] ?? ''}]`] : []));
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const open = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return open.some((target) => inodes.includes(target));
}
