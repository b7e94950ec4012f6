import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Docker, dockerClients } from '../support/docker-client.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { makeSwarm } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';

/** What is no matter of comparing with Docker Swarm; that is docker-cli-session.test.ts. */
describe('the docker CLI before a cluster', () => {
  let hosts: Hosts;
  let manager: Docker;
  const clients = dockerClients();
  const newest = clients[0] ?? { name: 'docker', path: 'docker' };

  beforeAll(async () => {
    hosts = await startHosts(2);
    await makeSwarm(hosts);
    manager = new Docker(newest, hosts.host(1).baleSocket);
  });
  afterAll(() => hosts[Symbol.asyncDispose]());

  test.each(clients)('$name creates, shows, scales and removes a service', async (client) => {
    const docker = new Docker(client, hosts.host(1).baleSocket);
    // The CLI looks on for as long as the monitor of an update.
    const create = ['service', 'create', '--name', 'other', '--update-monitor', '100ms', TEST_IMAGE];
    expect(await docker.must(...create)).toMatch(/1 out of 1 tasks/);
    expect(await docker.must('service', 'ls', '-f', 'name=other')).toMatch(/other +replicated +1\/1/);
    expect(await docker.must('service', 'scale', 'other=2')).toMatch(/2 out of 2 tasks/);
    expect(await docker.must('service', 'ps', 'other')).toMatch(/other\.1 .*Running[^]*other\.2 .*Running/);
    expect(await docker.must('service', 'rm', 'other')).toBe('other\n');
  });

  test('a service that cannot be placed says why in its progress', async () => {
    const child = manager.spawn('service', 'create', '--name', 'huge', '--reserve-memory', '900g', TEST_IMAGE);
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const reason = 'no suitable node (insufficient resources on 2 nodes';
    await eventually('the reason', () => Promise.resolve(printed.includes(reason)));
    child.kill('SIGKILL');
    await manager.must('service', 'rm', 'huge');
  });

  test('an image that is not there is named in the list of tasks, with the cause', async () => {
    await manager.must('service', 'create', '-d', '--no-resolve-image', '--name', 'ghost', 'nowhere:1');
    const errors = async (): Promise<string> =>
      manager.must('service', 'ps', '--no-trunc', '--format', '{{.CurrentState}} {{.Error}}', 'ghost');
    await expect.poll(errors).toMatch(/Rejected .*"No such image: nowhere:1/);
    await manager.must('service', 'rm', 'ghost');
  });
});
