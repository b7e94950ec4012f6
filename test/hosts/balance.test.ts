import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { answersOfAll, makeSwarm, nodesOf, runningTasks, serviceOf } from '../support/swarm-session.js';
import type { TestHost } from '../support/test-host.js';
import { TEST_IMAGE } from '../support/test-image.js';

const SHOP_PORT = 8080;
const WORK_PORT = 8081;
const INNER_PORT = 8082;
const HOST_PORT = 8083;

/** Also answers `/cgi-bin/slow`: the head at once, the rest when it is told to, by a file. */
const SLOW_SERVER = [
  '/bin/busybox mkdir -p /www/cgi-bin',
  "cat > /www/cgi-bin/slow <<'END'",
  '#!/bin/sh',
  'printf "Content-Type: text/plain\\r\\n\\r\\n"',
  'until test -e /tmp/go; do sleep 0.1; done',
  'hostname',
  'END',
  '/bin/busybox chmod 755 /www/cgi-bin/slow',
  'exec /serve',
].join('\n');

interface Answer {
  readonly status: number;
  readonly replica: string;
  readonly cookie: string | undefined;
}

function ask(
  { address }: TestHost,
  port: number,
  {
    cookie,
    path = '/',
    onHead = () => undefined,
  }: { readonly cookie?: string | undefined; readonly path?: string; readonly onHead?: () => void } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = cookie === undefined ? {} : { cookie };
    const call = request({ host: address, port, path, headers, agent: false, timeout: 60_000 }, (answer) => {
      onHead();
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.once('error', reject);
      answer.once('end', () => {
        const [set] = answer.headers['set-cookie'] ?? [];
        resolve({ status: answer.statusCode ?? 0, replica: text.trim(), cookie: set?.split(';')[0] });
      });
    });
    call.once('timeout', () => call.destroy(new Error('no answer within 60 s')));
    call.once('error', reject);
    call.end();
  });
}

/** A browser: it keeps the cookie that it got last. Notes each replica once it answers in place of another. */
class Browser {
  readonly replicas: string[] = [];
  readonly failures: string[] = [];
  answers = 0;
  #running = true;
  readonly #loop: Promise<void>;

  constructor(host: TestHost, cookie: string | undefined) {
    this.#loop = this.#ask(host, cookie);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#loop;
  }

  async #ask(host: TestHost, cookie: string | undefined): Promise<void> {
    let held = cookie;
    while (this.#running) {
      try {
        const answer = await ask(host, SHOP_PORT, { cookie: held });
        if (answer.status !== 200) throw new Error(`${answer.status} ${answer.replica}`);
        held = answer.cookie ?? held;
        this.answers += 1;
        if (this.replicas.at(-1) !== answer.replica) this.replicas.push(answer.replica);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }
}

/** The addresses on which a port is listened on, on one host. */
async function listeners(host: TestHost, port: number): Promise<readonly string[]> {
  const { stdout } = await host.run('ss', ['-Hltn', `sport = :${port}`]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/)[3]?.replace(/:\d+$/, '') ?? '')
    .sort();
}

describe('balancing of published ports', () => {
  let hosts: Hosts;
  let manager: TestHost;

  beforeAll(async () => {
    hosts = await startHosts(3);
    manager = hosts.host(1);
    await makeSwarm(hosts);
    const create = async (name: string, ...rest: string[]): Promise<void> => {
      await manager.bale('service', 'create', '-d', '--replicas', '3', '--name', name, ...rest);
    };
    await create('shop', '-p', `${SHOP_PORT}:80`, '--label', 'bale.port.80.balance=sticky', TEST_IMAGE);
    const least = ['--label', 'bale.port.80.balance=least-connections', '--label', 'bale.port.80.protocol=http'];
    await create('work', '-p', `${WORK_PORT}:80`, ...least, TEST_IMAGE, 'sh', '-c', SLOW_SERVER);
    for (const name of ['shop', 'work']) await runningTasks(manager, name, 3);
    for (const port of [SHOP_PORT, WORK_PORT]) {
      for (const { address } of hosts.all) await answersOfAll(address, port, 3);
    }
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  test('a client with a cookie has one replica, whichever node it asks', async () => {
    const seen = new Set<string>();
    for (let client = 0; client < 3; client += 1) {
      const { replica, cookie } = await ask(manager, SHOP_PORT);
      seen.add(replica);
      expect(cookie).toMatch(/^bale_shop=[\w-]{16}$/);
      for (const host of [...hosts.all, ...hosts.all]) {
        expect(await ask(host, SHOP_PORT, { cookie })).toEqual({ status: 200, replica, cookie: undefined });
      }
    }
    expect(seen.size).toBe(3);
  });

  test('it moves once, and without an error, when the node of its replica is drained', async () => {
    const { replica, cookie } = await ask(manager, SHOP_PORT);
    const tasks = await runningTasks(manager, 'shop', 3);
    const task = tasks.find(({ Status }) => Status.ContainerStatus?.ContainerID.startsWith(replica));
    const node = (await nodesOf(manager)).find(({ ID }) => ID === task?.NodeID)?.Description.Hostname ?? '';
    const browsers = hosts.all.map((host) => new Browser(host, cookie));
    try {
      await eventually('answers', () => Promise.resolve(browsers.every(({ answers }) => answers > 5)));
      await manager.bale('node', 'drain', node);
      const before = browsers.map(({ answers }) => answers);
      await eventually('answers', () =>
        Promise.resolve(browsers.every(({ answers }, index) => answers > (before[index] ?? 0) + 5)),
      );
    } finally {
      await Promise.all(browsers.map((browser) => browser.stop()));
      await manager.bale('node', 'activate', node);
    }
    for (const { failures, replicas } of browsers) {
      expect(failures).toEqual([]);
      expect(replicas).toHaveLength(2);
      expect(replicas[0]).toBe(replica);
    }
  });

  test('least-connections leaves a replica alone that is at work', async () => {
    // One of them has just moved.
    await runningTasks(manager, 'work', 3);
    await answersOfAll(manager.address, WORK_PORT, 3);
    let slow: Promise<Answer> | undefined;
    await new Promise<void>((resolve, reject) => {
      slow = ask(manager, WORK_PORT, { path: '/cgi-bin/slow', onHead: resolve });
      slow.catch(reject);
    });
    const quick: string[] = [];
    for (let index = 0; index < 12; index += 1) quick.push((await ask(manager, WORK_PORT)).replica);
    for (const host of hosts.all) {
      const ids = await host.docker('ps', '-q', '--filter', 'label=com.docker.swarm.service.name=work');
      for (const id of ids.split('\n').filter((one) => one !== '')) await host.docker('exec', id, 'touch', '/tmp/go');
    }
    const busy = await slow;
    expect(busy?.status).toBe(200);
    expect(quick).not.toContain(busy?.replica);
    expect(new Set(quick).size).toBe(2);
  });

  test('a port is listened on where its label says, and nowhere else', async () => {
    const [first, second, third] = [hosts.host(1), hosts.host(2), hosts.host(3)];
    const create = ['service', 'create', '-d', '--name', 'inner', '-p', `${INNER_PORT}:80`];
    await manager.bale(...create, '--label', `bale.port.80.ip=${second.address}`, TEST_IMAGE);
    const listened = (...addresses: readonly (readonly string[])[]): Promise<unknown> =>
      eventually(`listeners ${JSON.stringify(addresses)}`, async () => {
        const found = await Promise.all(hosts.all.map((host) => listeners(host, INNER_PORT)));
        return JSON.stringify(found) === JSON.stringify(addresses);
      });
    await listened([], [second.address], []);
    await eventually('the port', async () => (await ask(second, INNER_PORT)).status === 200);
    const { portErrors = [] } = await eventually('the notices', async () => {
      const service = await serviceOf(manager, 'inner');
      return service.portErrors?.length === 2 ? service : undefined;
    });
    for (const { notice, error } of portErrors) {
      expect([notice, error]).toEqual([true, `not published on this node: it has no address ${second.address}`]);
    }
    expect((await manager.tryBale('service', 'ls')).stderr).toBe('');
    expect(await manager.bale('service', 'inspect', '--pretty', 'inner')).toContain('Port notices:');

    const range = `${first.address.replace(/\.\d+$/, '')}.0/24`;
    const update = (value: string): Promise<string> =>
      manager.bale('service', 'update', '-d', '--label-add', `bale.port.80.ip=${value}`, 'inner');
    await update(range);
    await listened([first.address], [second.address], [third.address]);

    // An address that moves between machines.
    const floating = `${first.address.replace(/\.\d+$/, '')}.200`;
    await update(floating);
    await listened([], [], []);
    const fault = await eventually('the error', async () => {
      const { portErrors: errors = [] } = await serviceOf(manager, 'inner');
      return errors.length === 3 ? errors[0] : undefined;
    });
    expect([fault.notice, fault.error]).toEqual([
      undefined,
      `not published on this node: it has no address ${floating}, and no other node serves it`,
    ]);
    await third.run('sh', [
      '-c',
      `ip addr add ${floating}/32 dev $(ip -o -4 addr show to ${third.address} | cut -d' ' -f2)`,
    ]);
    await listened([], [], [floating]);
  });

  test('in host mode the Engine binds the port on that address', async () => {
    const create = ['service', 'create', '-d', '--mode', 'global', '--name', 'local'];
    const publish = ['--publish', `mode=host,published=${HOST_PORT},target=80`];
    await manager.bale(...create, ...publish, '--label', 'bale.port.80.ip=127.0.0.1', TEST_IMAGE);
    await runningTasks(manager, 'local', 3);
    for (const host of hosts.all) expect(await listeners(host, HOST_PORT)).toEqual(['127.0.0.1']);
  });
});
