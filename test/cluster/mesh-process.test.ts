import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MeshConfig } from '../../agent/mesh/messages.js';
import { killProcess } from '../../agent/mesh-link/mesh-member.js';
import { startMeshLink, type MeshProcessLink } from '../../agent/mesh-link/mesh-process.js';
import { systemClock } from '../../core/clock.js';
import { createLogger } from '../../core/logger.js';
import type { MeshReport } from '../../proto/session.js';
import { compile, type Compiled } from '../support/compile.js';
import { eventually } from '../support/eventually.js';
import { TestCa } from '../support/identities.js';
import { ControlClient, endpointTable, loopback, meshConfig, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

const logger = createLogger('silent');
let compiled: Compiled;
let program: string;
let ca: TestCa;
let directory: string;
let config: MeshConfig;
let replica: Replica;
let links: MeshProcessLink[];

beforeAll(async () => {
  compiled = await compile('agent/mesh/main.ts');
  program = join(compiled.entry, '..', 'run-mesh.js');
  await writeFile(
    program,
    "import { runMeshCommand } from './main.js';\nawait runMeshCommand(process.argv.slice(2));\n",
  );
  ca = await TestCa.create();
});

afterAll(() => compiled.dispose());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mesh-process-'));
  config = await meshConfig(ca.identity('node1'), directory, loopback());
  replica = await Replica.http('task1', 'node1');
  links = [];
});

afterEach(async () => {
  await Promise.all(links.map((link) => link.quit()));
  const pid = await meshPid().catch(() => undefined);
  if (pid !== undefined) killProcess(pid);
  await replica.stop();
  await rm(directory, { recursive: true, force: true });
});

async function link(changes: Partial<MeshConfig> = {}): Promise<MeshProcessLink> {
  const started = await startMeshLink({
    config: { ...config, ...changes },
    configFile: join(directory, 'mesh.json'),
    command: [process.execPath, program],
    logger,
    clock: systemClock,
  });
  links.push(started);
  return started;
}

/** Who answers on the control socket; takes the daemon's place for a moment. */
async function meshPid(): Promise<number> {
  const client = await ControlClient.connect(config.socket);
  client.close();
  if (client.hello === undefined) throw new Error('no hello');
  return client.hello.pid;
}

function publish(to: MeshProcessLink): Promise<MeshReport> {
  to.setLocals([replica.local]);
  const table = endpointTable(ca.clusterId, [], [publishedPort([replica.endpoint()])]);
  to.setTable(table);
  return reported(to, ({ tableNumber }) => tableNumber === table.number);
}

const reported = (from: MeshProcessLink, check: (report: MeshReport) => boolean): Promise<MeshReport> =>
  new Promise((resolve) => {
    const unsubscribe = from.onReport((report) => {
      if (!check(report)) return;
      unsubscribe();
      resolve(report);
    });
  });

const ask = (): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get({ host: config.publishAddr, port: 8080, agent: false }, (answer) => {
      answer.resume();
      answer.once('end', () => {
        resolve(answer.statusCode);
      });
    }).once('error', reject);
  });

describe('a mesh process', () => {
  test('routes on while no daemon is there, and is adopted by the next, never doubled', async () => {
    const first = await link();
    await publish(first);
    const pid = await meshPid();
    await first.close();
    expect(await ask()).toBe(200);
    const second = await link();
    expect((await reported(second, () => true)).tableNumber).toBeGreaterThan(0);
    expect(await meshPid()).toBe(pid);
  });

  test('two daemons that start at the same time get one mesh', async () => {
    await Promise.all([link(), link()]);
    await eventually('one mesh to be left', async () => {
      const { stdout } = await promisify(execFile)('pgrep', ['-fc', '--', `--config ${join(directory, 'mesh.json')}`]);
      return Number(stdout) === 1;
    });
  });

  test('killed, it is started anew with the same table and containers', async () => {
    const only = await link();
    await publish(only);
    process.kill(await meshPid(), 'SIGKILL');
    await eventually('the port to be served again', async () => (await ask()) === 200);
  });

  test('quit ends it: ports, socket and process', async () => {
    const only = await link();
    await publish(only);
    const pid = await meshPid();
    await eventually('the link to be back', () => publish(only).then(() => true));
    await only.quit();
    await expect(ask()).rejects.toThrow(/ECONNREFUSED/);
    await expect(stat(config.socket)).rejects.toThrow(/ENOENT/);
    await eventually('the process to end', () => Promise.resolve(!isAlive(pid)));
  });

  test('one of another address or node is replaced', async () => {
    const first = await link();
    await publish(first);
    const pid = await meshPid();
    await first.close();
    const publishAddr = loopback();
    config = { ...config, publishAddr };
    const second = await link();
    expect(await meshPid()).not.toBe(pid);
    await eventually('the new address to be served', () =>
      publish(second)
        .then(ask)
        .then((status) => status === 200),
    );
  });

  test('SIGTERM lets the request under way end, and nothing new in', async () => {
    let answer: (() => void) | undefined;
    const slow = await Replica.http('slow', 'node1', (_incoming, outgoing) => {
      answer = () => outgoing.end('done');
    });
    const only = await link();
    only.setLocals([slow.local]);
    only.setTable(endpointTable(ca.clusterId, [], [publishedPort([slow.endpoint()])]));
    await reported(only, ({ tableNumber }) => tableNumber > 0);
    const pid = await meshPid();
    const waiting = ask();
    await eventually('the request to arrive', () => Promise.resolve(answer !== undefined));
    await only.close();
    process.kill(pid, 'SIGTERM');
    await eventually('the port to be closed', async () => !(await canConnect()));
    expect(isAlive(pid)).toBe(true);
    answer?.();
    expect(await waiting).toBe(200);
    await eventually('the process to end', () => Promise.resolve(!isAlive(pid)));
    await slow.stop();
  });

  test('idles below 60 MB resident and starts with little work', async () => {
    await link();
    const pid = await meshPid();
    const [user = 0, system = 0] = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ').slice(13, 15).map(Number);
    // Linux counts hundredths of a second. A fifth of one is usual; a slow processor may take several times as long.
    expect((user + system) / 100).toBeLessThan(2);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024).toBeLessThan(60);
  });
});

describe('what cannot be started says why', () => {
  test('an identity that is not there', async () => {
    await rm(config.identityFile);
    await expect(link()).rejects.toMatchObject({
      code: 'BALE_MESH_START_FAILED',
      message: expect.stringMatching(/there is no identity at .*identity\.pem/) as string,
    });
  });

  test('a control socket that cannot be made', async () => {
    await expect(link({ socket: join(directory, 'mesh.json', 'mesh.sock') })).rejects.toThrow(/mesh\.json/);
  });

  test('a stale socket file is no obstacle', async () => {
    const stale: Server = createServer();
    await new Promise<void>((resolve) => stale.listen(join(directory, 'other.sock'), resolve));
    await promisify(execFile)('cp', ['-a', join(directory, 'other.sock'), config.socket]);
    await new Promise((resolve) => stale.close(resolve));
    await publish(await link());
    expect(await ask()).toBe(200);
  });

  test('a tunnel port that is taken is told in the reports, and heals', async () => {
    const blocker = createServer();
    const [host, port] = config.listenAddr.split(':');
    await new Promise<void>((resolve) => blocker.listen(Number(port), host, resolve));
    const only = await link();
    const { bindErrors } = await reported(only, () => true);
    expect(bindErrors[0]?.error).toBe(
      `listen tcp ${config.listenAddr}: address already in use (for tunnels of other nodes)`,
    );
    blocker.close();
    await reported(only, (report) => report.bindErrors.length === 0);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const canConnect = (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(8080, config.publishAddr);
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
