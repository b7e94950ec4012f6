import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { makeSwarm, runningTasks, tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';
import { UdpClient } from '../support/udp-replica.js';

/**
 * Answers each datagram, and each TCP connection, with the host name of the replica, after a moment.
 * It begins to listen LATE ms after its start.
 */
const SERVER = `
  const name = require('node:os').hostname();
  const udp = require('node:dgram').createSocket('udp4');
  udp.on('message', (datagram, { address, port }) => {
    setTimeout(() => udp.send(name + ' ' + datagram, port, address), 20);
  });
  setTimeout(() => udp.bind(53), Number(process.env.LATE ?? 0));
  require('node:net').createServer((socket) => socket.end(name)).listen(53);
  process.on('SIGTERM', () => process.exit(0));
`;

/** The image has no program that speaks UDP: this machine's Node serves, from its own folders. */
const AS_SERVER = [
  ...['/usr', '/lib', '/lib64'].flatMap((path) => ['--mount', `type=bind,src=${path},dst=${path},readonly`]),
  TEST_IMAGE,
  process.execPath,
  '-e',
  SERVER,
];

describe('udp ports of a cluster of two machines', () => {
  let hosts: Hosts;

  beforeAll(async () => {
    hosts = await startHosts(2);
    await makeSwarm(hosts);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  const ask = async (address: string, port: number): Promise<string> => {
    const client = await UdpClient.open(address, port);
    try {
      return await client.ask('?');
    } finally {
      client.close();
    }
  };

  test('every node serves them, by every replica, and shows them', async () => {
    const manager = hosts.host(1);
    const flags = ['--replicas', '2', '--update-monitor', '500ms', '-p', '5353:53/udp'];
    await manager.bale('service', 'create', '--name', 'dns', ...flags, ...AS_SERVER);
    for (const { address } of hosts.all) {
      await eventually(`an answer of each replica at ${address}`, async () => {
        const replicas = new Set<string>();
        for (let n = 0; n < 4; n += 1) replicas.add(await ask(address, 5353));
        return replicas.size === 2;
      });
    }
    expect(await manager.bale('service', 'ls')).toMatch(/dns .*\*:5353->53\/udp/);
  });

  test.each([
    ['a rolling update', '0'],
    ['one whose replicas listen only a while after they are taken in', '800'],
  ])('no answer is lost during %s', async (_which, late) => {
    const manager = hosts.host(1);
    let updating = true;
    // More than a replica may tell of refusals in a second.
    const load = hosts.all.flatMap(({ address }) =>
      Array.from({ length: 20 }, async (_none, index) => {
        const client = await UdpClient.open(address, 5353);
        for (let asked = 0; updating || asked < 10; asked += 1) {
          const text = `${index}-${asked}`;
          expect((await client.ask(text, 30_000)).split(' ')[1]).toBe(text);
        }
        client.close();
      }),
    );
    const done = manager.bale('service', 'update', '--force', '--env-add', `LATE=${late}`, 'dns').finally(() => {
      updating = false;
    });
    await Promise.all([...load, done]);
  });

  test('in host mode the Engine binds them, udp and tcp of one number, and the scheduler keeps them apart', async () => {
    const manager = hosts.host(1);
    const port = (protocol: string): string => `published=5454,target=53,protocol=${protocol},mode=host`;
    const ports = ['-p', port('udp'), '-p', port('tcp')];
    await manager.bale('service', 'create', '-d', '--name', 'own', '--replicas', '3', ...ports, ...AS_SERVER);
    const tasks = await runningTasks(manager, 'own', 2);
    expect(new Set(tasks.map(({ NodeID }) => NodeID)).size).toBe(2);
    expect(tasks[0]?.Status.PortStatus?.Ports).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ Protocol: 'udp', PublishedPort: 5454, TargetPort: 53 }),
        expect.objectContaining({ Protocol: 'tcp', PublishedPort: 5454, TargetPort: 53 }),
      ]),
    );
    const answers = await Promise.all(
      hosts.all.map(({ address }) => eventually(`an answer of ${address}`, () => ask(address, 5454))),
    );
    expect(new Set(answers).size).toBe(2);
    await eventually('the third to say why it waits', async () =>
      (await tasksOf(manager, 'own')).some(({ Status }) =>
        (Status.Err ?? '').includes('host-mode port already in use on 2 nodes: 5454/udp'),
      ),
    );
    const refused = await manager.tryBale('service', 'create', '-d', '-p', '5454:53/udp', TEST_IMAGE);
    expect(refused.stderr).toMatch(
      /port '5454' is already in use by service 'own' .* as a host-published port \(udp\)/,
    );
  });
});
