import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOST_POWERS } from '../../proto/engine/host-options.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { runningTasks, serviceOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';
import type { TestHost } from '../support/test-host.js';

const ALLOW_ALL = `--allow=${HOST_POWERS.join(',')}`;

let hosts: Hosts;
let h1: TestHost;

beforeAll(async () => {
  hosts = await startHosts(1, { daemons: false });
  h1 = hosts.host(1);
  await h1.startDaemon([ALLOW_ALL]);
  await h1.bale('swarm', 'init', '--advertise-addr', h1.address);
});

afterAll(async () => {
  await hosts[Symbol.asyncDispose]();
});

const create = (name: string, ...labels: string[]): Promise<string> =>
  h1.bale('service', 'create', '-d', '--name', name, ...labels.flatMap((label) => ['--label', label]), TEST_IMAGE);

const containerOf = async (service: string): Promise<string> =>
  (await h1.docker('ps', '-q', '--filter', `label=com.docker.swarm.service.name=${service}`)).trim();

const hostConfig = async (service: string): Promise<Record<string, unknown>> =>
  JSON.parse(await h1.docker('inspect', '-f', '{{json .HostConfig}}', await containerOf(service))) as Record<
    string,
    unknown
  >;

const psLines = (service: string): Promise<string> =>
  h1.bale('service', 'ps', '--no-trunc', '--format', '{{.CurrentState}} {{.Error}}', service);

async function restartDaemon(...flags: string[]): Promise<void> {
  await h1.stopDaemon('SIGTERM');
  await h1.startDaemon(flags);
}

describe('labels that set what a container has of its machine', () => {
  test.each<[string, string, Record<string, unknown>]>([
    [
      'devices',
      'bale.devices=/dev/null:/dev/nothing:rw',
      { Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'rw' }] },
    ],
    ['shm', 'bale.shm-size=100m', { ShmSize: 100 * 2 ** 20 }],
    ['pid', 'bale.pid=host', { PidMode: 'host' }],
    ['ipc-host', 'bale.ipc=host', { IpcMode: 'host' }],
    ['ipc-private', 'bale.ipc=private', { IpcMode: 'private' }],
    ['ipc-shareable', 'bale.ipc=shareable', { IpcMode: 'shareable' }],
    ['ipc-none', 'bale.ipc=none', { IpcMode: 'none' }],
    ['cpus', 'bale.cpuset.cpus=0', { CpusetCpus: '0' }],
    ['mems', 'bale.cpuset.mems=0', { CpusetMems: '0' }],
  ])('%s: %s', async (name, label, expected) => {
    await create(name, label);
    await runningTasks(h1, name, 1);
    expect(await hostConfig(name)).toMatchObject(expected);
    if (name === 'devices') {
      expect(await h1.docker('exec', await containerOf(name), 'ls', '/dev/nothing')).toContain('/dev/nothing');
    }
    await h1.bale('service', 'rm', name);
  });

  test('privileged: bale.privileged=true', async () => {
    // A machine that is a container itself may refuse to start it; it is made all the same.
    const never = ['--restart-condition', 'none', '--label', 'bale.privileged=true'];
    await h1.bale('service', 'create', '-d', '--name', 'privileged', ...never, TEST_IMAGE);
    const filter = 'label=com.docker.swarm.service.name=privileged';
    const id = await eventually('its container', async () => {
      const found = (await h1.docker('ps', '-aq', '--filter', filter)).trim();
      return found === '' ? undefined : found;
    });
    expect((await h1.docker('inspect', '-f', '{{.HostConfig.Privileged}}', id)).trim()).toBe('true');
    await h1.bale('service', 'rm', 'privileged');
  });

  test("what the node does not have is refused in its Engine's words", async () => {
    const never = ['service', 'create', '-d', '--restart-condition', 'none'];
    await h1.bale(...never, '--name', 'gpu', '--label', 'bale.gpus=all', TEST_IMAGE);
    await eventually('the refusal', async () =>
      (await psLines('gpu')).includes('could not select device driver "" with capabilities: [[gpu]]'),
    );
    await h1.bale(...never, '--name', 'cpu', '--label', 'bale.cpuset.cpus=4000', TEST_IMAGE);
    await eventually('the refusal', async () =>
      /Rejected .*[Rr]equested CPUs are not available/.test(await psLines('cpu')),
    );
    await h1.bale(...never, '--name', 'device', '--label', 'bale.devices=/dev/no-such', TEST_IMAGE);
    await eventually('the refusal', async () => (await psLines('device')).includes('"/dev/no-such"'));
    await h1.bale('service', 'rm', 'gpu', 'cpu', 'device');
  });

  test('another value replaces the tasks, and a rollback brings back the earlier one', async () => {
    await create('rolled', 'bale.shm-size=10m');
    await runningTasks(h1, 'rolled', 1);
    const monitors = ['--update-monitor', '100ms', '--rollback-monitor', '100ms'];
    await h1.bale('service', 'update', ...monitors, '--label-add', 'bale.shm-size=20m', 'rolled');
    expect(await hostConfig('rolled')).toMatchObject({ ShmSize: 20 * 2 ** 20 });
    expect(await h1.bale('service', 'inspect', '--pretty', 'rolled')).toContain('Host options:\n ShmSize:\t20MiB\n');
    await h1.bale('service', 'rollback', 'rolled');
    expect(await hostConfig('rolled')).toMatchObject({ ShmSize: 10 * 2 ** 20 });
    await h1.bale('service', 'rm', 'rolled');
  });
});

test('power that is not allowed is refused; withdrawn, it leaves running tasks alone and makes no new ones', async () => {
  await create('strong', 'bale.ipc=host', 'bale.pid=host');
  const [before] = await runningTasks(h1, 'strong', 1);
  await restartDaemon('--allow=devices');
  const refused = await h1.tryBale('service', 'create', '-d', '--label', 'bale.privileged=true', TEST_IMAGE);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/label "bale.privileged" gives the container .* with --allow privileged/);
  await create('allowed', 'bale.devices=/dev/null');
  await runningTasks(h1, 'allowed', 1);

  const [kept] = await runningTasks(h1, 'strong', 1);
  expect(kept?.ID).toBe(before?.ID);
  const version = (await serviceOf(h1, 'strong')).Version.Index;
  expect((await h1.tryBale('service', 'scale', '-d', 'strong=2')).stderr).toContain('--allow host-pid,host-ipc');
  expect((await serviceOf(h1, 'strong')).Version.Index).toBe(version);
  await h1.docker('kill', await containerOf('strong'));
  await eventually('the refusal', async () => /Pending .*--allow host-pid,host-ipc/.test(await psLines('strong')));
  await h1.bale('service', 'update', '-d', '--label-rm', 'bale.ipc', '--label-rm', 'bale.pid', 'strong');
  await runningTasks(h1, 'strong', 1);
  expect(await hostConfig('strong')).toMatchObject({ PidMode: '', IpcMode: 'private' });
});
