import { describe, expect, test } from 'vitest';
import { containerConfig } from '../../../../agent/executor/container-config.js';
import type { HostOptions } from '../../../../proto/engine/host-options.js';
import { assignment } from '../../../support/assignments.js';

const hostConfig = (hostOptions?: HostOptions): Readonly<Record<string, unknown>> =>
  containerConfig(assignment('t1', hostOptions === undefined ? {} : { hostOptions }), {
    node: { ID: 'n1', Hostname: 'h1', Platform: { Architecture: 'x86_64', OS: 'linux' } },
    fileSource: (name) => name,
    hostAddresses: () => [],
  }).body.HostConfig;

const NAMES = [
  ...['Devices', 'DeviceRequests', 'Privileged', 'ShmSize'],
  ...['PidMode', 'IpcMode', 'CpusetCpus', 'CpusetMems'],
];

describe('host options of a container', () => {
  test('are left out where a task has none', () => {
    for (const name of NAMES) expect(hostConfig()).not.toHaveProperty(name);
  });

  test.each<[HostOptions, Record<string, unknown>]>([
    [
      { devices: [{ source: '/dev/sda', target: '/dev/xvdc', access: 'rw' }] },
      { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/xvdc', CgroupPermissions: 'rw' }] },
    ],
    [{ gpus: { count: 'all' } }, { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] }],
    [{ gpus: { count: 2 } }, { DeviceRequests: [{ Count: 2, Capabilities: [['gpu']] }] }],
    [{ gpus: { ids: ['0', '1'] } }, { DeviceRequests: [{ DeviceIDs: ['0', '1'], Capabilities: [['gpu']] }] }],
    [{ privileged: true }, { Privileged: true }],
    [{ shmSize: 2 ** 28 }, { ShmSize: 2 ** 28 }],
    [{ pid: 'host' }, { PidMode: 'host' }],
    [{ ipc: 'none' }, { IpcMode: 'none' }],
    [{ cpusetCpus: '0-1' }, { CpusetCpus: '0-1' }],
    [{ cpusetMems: '0' }, { CpusetMems: '0' }],
  ])('%j', (options, fields) => {
    const config = hostConfig(options);
    expect(config).toMatchObject(fields);
    const others = NAMES.filter((name) => !(name in fields));
    for (const name of others) expect(config).not.toHaveProperty(name);
  });
});
