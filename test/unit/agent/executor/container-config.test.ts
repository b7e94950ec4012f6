import { describe, expect, test } from 'vitest';
import {
  containerConfig,
  graceSeconds,
  type ContainerCreateBody,
} from '../../../../agent/executor/container-config.js';
import { caught } from '../../../support/caught.js';
import { assignment, type AssignmentParts } from '../../../support/assignments.js';

const NODE = { ID: 'n1', Hostname: 'h1', Platform: { Architecture: 'x86_64', OS: 'linux' } };
const CONTEXT = {
  node: NODE,
  fileSource: (name: string) => `/run/bale/t1/${name}`,
  hostAddresses: () => ['127.0.0.1', '10.0.0.7', '10.1.0.7'],
};

const body = (parts: AssignmentParts = {}): ContainerCreateBody =>
  containerConfig(assignment('t1', parts), CONTEXT).body;

describe('what the Engine is asked to create', () => {
  test('generic resources reach the container as variables, after its own', () => {
    const genericResources = [
      { NamedResourceSpec: { Kind: 'gpu', Value: 'u1' } },
      { NamedResourceSpec: { Kind: 'gpu', Value: 'u2' } },
      { DiscreteResourceSpec: { Kind: 'ssd', Value: 3 } },
    ];
    expect(body({ genericResources, container: { Env: ['A=1'] } })).toMatchObject({
      Env: ['A=1', 'DOCKER_RESOURCE_GPU=u1,u2', 'DOCKER_RESOURCE_SSD=3'],
    });
  });

  test('a task that sets nothing leaves the image and the Engine their defaults', () => {
    expect(containerConfig(assignment('t1'), CONTEXT)).toEqual({
      name: 'web.1.t1',
      body: {
        Image: 'bale-test:1',
        StopTimeout: 10,
        Labels: {
          'com.docker.swarm.task': '',
          'com.docker.swarm.task.id': 't1',
          'com.docker.swarm.task.name': 'web.1.t1',
          'com.docker.swarm.node.id': 'n1',
          'com.docker.swarm.service.id': 'service-web',
          'com.docker.swarm.service.name': 'web',
        },
        ExposedPorts: {},
        HostConfig: { RestartPolicy: { Name: 'no' }, NetworkMode: 'default', PortBindings: {} },
      },
    });
  });

  test("the user's labels are kept, except where they claim to be bale's", () => {
    const { Labels } = body({ container: { Labels: { tier: 'web', 'com.docker.swarm.node.id': 'forged' } } });
    expect(Labels).toMatchObject({ tier: 'web', 'com.docker.swarm.node.id': 'n1' });
  });

  test("a command replaces the entrypoint; arguments alone go to the image's own", () => {
    expect(body({ container: { Command: ['sh', '-c'], Args: ['ls'] } })).toMatchObject({
      Entrypoint: ['sh', '-c'],
      Cmd: ['ls'],
    });
    const alone = body({ container: { Command: [], Args: ['ls'] } });
    expect(alone).toMatchObject({ Cmd: ['ls'] });
    expect(alone).not.toHaveProperty('Entrypoint');
  });

  test('each field of a container spec has its place', () => {
    const Healthcheck = { Test: ['CMD', 'true'], Interval: 1e9 };
    const Mounts = [{ Type: 'tmpfs' as const, Target: '/t', TmpfsOptions: { SizeBytes: 1024, Mode: 0o700 } }];
    const made = body({
      container: {
        Env: ['A=1'],
        Hostname: 'h',
        Dir: '/d',
        User: 'app',
        StopSignal: 'SIGINT',
        StopGracePeriod: 1_500_000_000,
        TTY: true,
        OpenStdin: true,
        ReadOnly: true,
        Init: true,
        Groups: ['audio'],
        Sysctls: { 'net.core.somaxconn': '9' },
        CapabilityAdd: ['CAP_NET_ADMIN'],
        CapabilityDrop: ['CAP_CHOWN'],
        Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
        Hosts: ['10.0.0.1 db primary'],
        DNSConfig: { Nameservers: ['9.9.9.9'], Search: ['x'], Options: ['ndots:1'] },
        Healthcheck,
        Mounts,
      },
    });
    expect(made).toMatchObject({
      Env: ['A=1'],
      Hostname: 'h',
      WorkingDir: '/d',
      User: 'app',
      StopSignal: 'SIGINT',
      StopTimeout: 2,
      Tty: true,
      OpenStdin: true,
      Healthcheck,
      HostConfig: {
        ReadonlyRootfs: true,
        Init: true,
        GroupAdd: ['audio'],
        Sysctls: { 'net.core.somaxconn': '9' },
        CapAdd: ['CAP_NET_ADMIN'],
        CapDrop: ['CAP_CHOWN'],
        Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
        ExtraHosts: ['db:10.0.0.1', 'primary:10.0.0.1'],
        Dns: ['9.9.9.9'],
        DnsSearch: ['x'],
        DnsOptions: ['ndots:1'],
        Mounts,
      },
    });
  });

  test("an init process that is neither wished nor refused is the Engine's choice", () => {
    expect(body({ container: { Init: null } }).HostConfig).not.toHaveProperty('Init');
    expect(body({ container: { Init: false } }).HostConfig).toHaveProperty('Init', false);
  });

  test("limits and reserved memory are enforced; reserved CPUs are not the Engine's business", () => {
    const { HostConfig } = body({
      spec: {
        Resources: {
          Limits: { NanoCPUs: 5e8, MemoryBytes: 64 * 2 ** 20, Pids: 50 },
          Reservations: { NanoCPUs: 1e8, MemoryBytes: 32 * 2 ** 20 },
          SwapBytes: 2 ** 20,
          MemorySwappiness: 0,
        },
      },
    });
    expect(HostConfig).toEqual({
      RestartPolicy: { Name: 'no' },
      NetworkMode: 'default',
      NanoCpus: 5e8,
      Memory: 64 * 2 ** 20,
      MemorySwap: 65 * 2 ** 20,
      MemorySwappiness: 0,
      MemoryReservation: 32 * 2 ** 20,
      PidsLimit: 50,
      PortBindings: {},
    });
  });

  test('host-mode ports are bound on the host; without a number the Engine chooses one', () => {
    const made = body({
      hostPorts: [
        { TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' },
        { TargetPort: 80, PublishedPort: 8081, PublishMode: 'host' },
        { TargetPort: 53, Protocol: 'udp', PublishMode: 'host' },
      ],
    });
    expect(made.HostConfig).toMatchObject({
      PortBindings: { '80/tcp': [{ HostPort: '8080' }, { HostPort: '8081' }], '53/udp': [{ HostPort: '' }] },
    });
    expect(made).toMatchObject({ ExposedPorts: { '80/tcp': {}, '53/udp': {} } });
  });

  test('a host-mode port is bound on the addresses that it is for, of those that the host has', () => {
    const bindings = (HostIp: string): unknown =>
      body({ hostPorts: [{ TargetPort: 80, PublishedPort: 8080, PublishMode: 'host', HostIp }] }).HostConfig
        .PortBindings;
    const on = (...addresses: string[]): unknown => ({
      '80/tcp': addresses.map((HostIp) => ({ HostIp, HostPort: '8080' })),
    });
    expect(bindings('10.0.0.7')).toEqual(on('10.0.0.7'));
    expect(bindings('10.0.0.0/8')).toEqual(on('10.0.0.7', '10.1.0.7'));
    expect(bindings('127.0.0.1')).toEqual(on('127.0.0.1'));
    expect(bindings('0.0.0.0')).toEqual(on('0.0.0.0'));
    expect(caught(() => bindings('172.16.0.0/12'))).toEqual({
      kind: 'failed-precondition',
      code: 'BALE_NO_PUBLISH_ADDRESS',
      message:
        'port 8080 is not published on this node: it has no address within 172.16.0.0/12; place the service on nodes that have one',
    });
  });

  test('secrets and configs are files of the host, mounted read-only, each at its target', () => {
    const File = { Name: 'key', UID: '0', GID: '0', Mode: 0o400 };
    const made = body({
      container: {
        Mounts: [{ Type: 'volume', Source: 'v', Target: '/v' }],
        Secrets: [{ SecretID: 's1', SecretName: 'a', File }],
        Configs: [
          { ConfigID: 'c1', ConfigName: 'b', File: { ...File, Name: 'etc/b.conf' } },
          { ConfigID: 'c2', ConfigName: 'c', File: { ...File, Name: '/srv/../c' } },
        ],
      },
    });
    const file = (name: string, Target: string) => ({
      Type: 'bind',
      Source: `/run/bale/t1/${name}`,
      Target,
      ReadOnly: true,
    });
    expect(made.HostConfig.Mounts).toEqual([
      { Type: 'volume', Source: 'v', Target: '/v' },
      file('0', '/run/secrets/key'),
      file('1', '/etc/b.conf'),
      file('2', '/c'),
    ]);
  });

  test('a log driver of the task goes before the default of the node', () => {
    const defaultLog = { Type: 'json-file', Config: { 'max-size': '20m' } };
    const at = (parts: AssignmentParts): unknown =>
      containerConfig(assignment('t1', parts), { ...CONTEXT, defaultLog }).body.HostConfig.LogConfig;
    expect(at({})).toEqual(defaultLog);
    expect(at({ spec: { LogDriver: { Name: 'none' } } })).toEqual({ Type: 'none', Config: {} });
  });
});

test('a grace period is told in whole seconds and never becomes none', () => {
  expect([0, 1, 1e9, 1_000_000_001].map(graceSeconds)).toEqual([0, 1, 1, 2]);
});
