import { describe, expect, test } from 'vitest';
import { patchService } from '../../../../cli/update/patch-service.js';
import type { UpdateFlags } from '../../../../cli/update/update-flags.js';
import type { ContainerSpec } from '../../../../proto/engine/container-spec.js';
import type { ServiceSpec } from '../../../../proto/engine/service-spec.js';
import type { TaskSpec } from '../../../../proto/engine/task-spec.js';

const OWN = { HOME: '/root' };

const specOf = (container: Partial<ContainerSpec>, task: Partial<TaskSpec> = {}): ServiceSpec => ({
  Name: 'web',
  Labels: {},
  TaskTemplate: { ContainerSpec: { Image: 'web:1', ...container }, ...task },
  Mode: { Replicated: { Replicas: 2 } },
});

const container = (present: Partial<ContainerSpec>, flags: UpdateFlags): Partial<ContainerSpec> => {
  const { ContainerSpec } = patchService(specOf(present), flags, OWN).TaskTemplate;
  return Object.fromEntries(Object.entries(ContainerSpec).filter(([key]) => key !== 'Image'));
};

describe('flags of the container', () => {
  test.each<[string, Partial<ContainerSpec>, UpdateFlags, Partial<ContainerSpec>]>([
    ['args', { Args: ['-v'] }, { args: '-a "b c"' }, { Args: ['-a', 'b c'] }],
    ['args, emptied', { Args: ['-v'] }, { args: '' }, {}],
    ['entrypoint', {}, { entrypoint: 'sh -c' }, { Command: ['sh', '-c'] }],
    ['entrypoint, emptied', { Command: ['sh'] }, { entrypoint: '' }, {}],
    ['env: a changed one keeps its place', { Env: ['A=1', 'B=2'] }, { envAdd: ['A=3'] }, { Env: ['A=3', 'B=2'] }],
    ['env: a new one goes last', { Env: ['A=1'] }, { envAdd: ['B=2'] }, { Env: ['A=1', 'B=2'] }],
    ['env: own value', {}, { envAdd: ['HOME'] }, { Env: ['HOME=/root'] }],
    ['env: bare, without own value', {}, { envAdd: ['NONE'] }, { Env: ['NONE'] }],
    ['env: removed', { Env: ['A=1', 'B=2'] }, { envRm: ['A'] }, { Env: ['B=2'] }],
    ['env: the last one removed', { Env: ['A=1'] }, { envRm: ['A'] }, {}],
    ['env: not there', { Env: ['A=1'] }, { envRm: ['X'] }, { Env: ['A=1'] }],
    ['env: added and removed', { Env: ['A=1'] }, { envAdd: ['A=2'], envRm: ['A'] }, { Env: ['A=2'] }],
    ['container label: added', {}, { containerLabelAdd: ['a=1', 'b'] }, { Labels: { a: '1', b: '' } }],
    ['container label: removed', { Labels: { a: '1' } }, { containerLabelRm: ['a', 'x'] }, {}],
    [
      'container label: added and removed',
      { Labels: { a: '1' } },
      { containerLabelAdd: ['a=2'], containerLabelRm: ['a'] },
      { Labels: { a: '2' } },
    ],
    ['workdir', { Dir: '/a' }, { workdir: '/b' }, { Dir: '/b' }],
    ['user, emptied', { User: 'a' }, { user: '' }, {}],
    ['hostname', {}, { hostname: 'h' }, { Hostname: 'h' }],
    ['init off is said', { Init: true }, { init: false }, { Init: false }],
    ['tty off is left out', { TTY: true }, { tty: false }, {}],
    ['read-only', {}, { readOnly: true }, { ReadOnly: true }],
    ['read-only off is left out', { ReadOnly: true }, { readOnly: false }, {}],
    ['stop signal', {}, { stopSignal: 'SIGINT' }, { StopSignal: 'SIGINT' }],
    ['stop grace period of nothing is said', {}, { stopGracePeriod: '0s' }, { StopGracePeriod: 0 }],
    ['group: sorted, each once', { Groups: ['b'] }, { groupAdd: ['a', 'b'] }, { Groups: ['a', 'b'] }],
    ['group: added and removed', { Groups: ['a'] }, { groupAdd: ['b'], groupRm: ['b', 'x'] }, { Groups: ['a'] }],
    ['host: added', { Hosts: ['1.1.1.1 b'] }, { hostAdd: ['a:2.2.2.2'] }, { Hosts: ['1.1.1.1 b', '2.2.2.2 a'] }],
    ['host: removed by name', { Hosts: ['1.1.1.1 a b', '2.2.2.2 a'] }, { hostRm: ['a'] }, { Hosts: ['1.1.1.1 b'] }],
    [
      'host: removed at one address',
      { Hosts: ['1.1.1.1 a', '2.2.2.2 a'] },
      { hostRm: ['a:2.2.2.2'] },
      { Hosts: ['1.1.1.1 a'] },
    ],
    ['host: moved', { Hosts: ['1.1.1.1 a'] }, { hostRm: ['a'], hostAdd: ['a:2.2.2.2'] }, { Hosts: ['2.2.2.2 a'] }],
    ['host: not there', { Hosts: ['1.1.1.1 a'] }, { hostRm: ['x'] }, { Hosts: ['1.1.1.1 a'] }],
    [
      'dns',
      { DNSConfig: { Nameservers: ['2.2.2.2'], Search: ['a'] } },
      { dnsAdd: ['1.1.1.1', '2.2.2.2'], dnsRm: ['3.3.3.3'], dnsSearchRm: ['a'], dnsOptionAdd: ['debug'] },
      { DNSConfig: { Nameservers: ['1.1.1.1', '2.2.2.2'], Options: ['debug'] } },
    ],
    ['sysctl', { Sysctls: { a: '1', b: '2' } }, { sysctlAdd: ['a=3'], sysctlRm: ['b'] }, { Sysctls: { a: '3' } }],
    [
      'ulimit: added, changed, removed',
      {
        Ulimits: [
          { Name: 'nproc', Soft: 1, Hard: 1 },
          { Name: 'core', Soft: 1, Hard: 1 },
        ],
      },
      { ulimitAdd: ['nproc=2:3', 'nofile=4'], ulimitRm: ['core', 'fsize'] },
      {
        Ulimits: [
          { Name: 'nofile', Soft: 4, Hard: 4 },
          { Name: 'nproc', Soft: 2, Hard: 3 },
        ],
      },
    ],
    ['capability: added', {}, { capAdd: ['net_admin'] }, { CapabilityAdd: ['CAP_NET_ADMIN'] }],
    ['capability: no longer dropped', { CapabilityDrop: ['CAP_KILL'] }, { capAdd: ['KILL'] }, {}],
    ['capability: no longer added', { CapabilityAdd: ['CAP_KILL'] }, { capDrop: ['KILL'] }, {}],
    ['capability: both', {}, { capAdd: ['KILL'], capDrop: ['KILL'] }, { CapabilityAdd: ['CAP_KILL'] }],
    ['capability: all', { CapabilityAdd: ['CAP_KILL'] }, { capAdd: ['ALL'] }, { CapabilityAdd: ['ALL'] }],
    ['capability: reset', { CapabilityDrop: ['CAP_KILL'] }, { capDrop: ['RESET'] }, {}],
    [
      'health: a setting of the image’s check',
      {},
      { healthInterval: '2s', healthRetries: '3' },
      { Healthcheck: { Interval: 2e9, Retries: 3 } },
    ],
    [
      'health: on again after it was off',
      { Healthcheck: { Test: ['NONE'] } },
      { healthTimeout: '1s' },
      { Healthcheck: { Timeout: 1e9 } },
    ],
    [
      'health: the image’s command again',
      { Healthcheck: { Test: ['CMD-SHELL', 'a'], Retries: 2 } },
      { healthCmd: '' },
      { Healthcheck: { Retries: 2 } },
    ],
    ['health: off', { Healthcheck: { Retries: 2 } }, { healthcheck: false }, { Healthcheck: { Test: ['NONE'] } }],
    [
      'mount: the one with its target is replaced',
      { Mounts: [{ Type: 'bind', Source: '/a', Target: '/t' }] },
      { mountAdd: ['type=volume,source=v,target=/t'] },
      { Mounts: [{ Type: 'volume', Source: 'v', Target: '/t' }] },
    ],
    ['mount: removed', { Mounts: [{ Type: 'bind', Source: '/a', Target: '/t' }] }, { mountRm: ['/t', '/x'] }, {}],
    ['mount: added and removed', {}, { mountAdd: ['type=tmpfs,target=/t'], mountRm: ['/t'] }, {}],
    [
      'mount: sorted by source',
      { Mounts: [{ Type: 'bind', Source: '/z', Target: '/z' }] },
      { mountAdd: ['type=bind,source=/a,target=/a'] },
      {
        Mounts: [
          { Type: 'bind', Source: '/a', Target: '/a' },
          { Type: 'bind', Source: '/z', Target: '/z' },
        ],
      },
    ],
  ])('%s', (_, present, flags, expected) => {
    expect(container(present, flags)).toEqual(expected);
  });
});

describe('flags of the task', () => {
  test.each<[string, Partial<TaskSpec>, UpdateFlags, Partial<TaskSpec>]>([
    [
      'limits are changed one by one',
      { Resources: { Limits: { NanoCPUs: 1e9, Pids: 5 } } },
      { limitMemory: '1m' },
      { Resources: { Limits: { NanoCPUs: 1e9, Pids: 5, MemoryBytes: 2 ** 20 }, Reservations: {} } },
    ],
    [
      'a limit of 0 is none',
      { Resources: { Limits: { NanoCPUs: 1e9, Pids: 5 } } },
      { limitCpu: '0', limitPids: '0' },
      { Resources: { Limits: {}, Reservations: {} } },
    ],
    [
      'reservations',
      {},
      { reserveCpu: '0.5', reserveMemory: '1k' },
      { Resources: { Limits: {}, Reservations: { NanoCPUs: 5e8, MemoryBytes: 1024 } } },
    ],
    [
      'restart policy: what is not named stays',
      { RestartPolicy: { Condition: 'none', Delay: 1 } },
      { restartCondition: 'any', restartMaxAttempts: '0', restartWindow: '1s' },
      { RestartPolicy: { Condition: 'any', Delay: 1, MaxAttempts: 0, Window: 1e9 } },
    ],
    [
      'log driver: options are all replaced',
      { LogDriver: { Name: 'json-file', Options: { a: '1' } } },
      { logDriver: 'json-file', logOpt: ['b=2'] },
      { LogDriver: { Name: 'json-file', Options: { b: '2' } } },
    ],
    ['force', { ForceUpdate: 4 }, { force: true }, { ForceUpdate: 5 }],
    ['force, the first time', {}, { force: true }, { ForceUpdate: 1 }],
  ])('%s', (_, present, flags, expected) => {
    const { ContainerSpec } = specOf({}).TaskTemplate;
    expect(patchService(specOf({}, present), flags, OWN).TaskTemplate).toEqual({ ContainerSpec, ...expected });
  });
});

describe('flags of the service', () => {
  const ports = (present: NonNullable<ServiceSpec['EndpointSpec']>['Ports'], flags: UpdateFlags) =>
    patchService({ ...specOf({}), EndpointSpec: { Ports: present ?? [] } }, flags, OWN).EndpointSpec?.Ports ?? [];
  const web = { Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' } as const;
  const dns = { Protocol: 'udp', TargetPort: 53, PublishedPort: 53, PublishMode: 'ingress' } as const;

  test.each<[string, Parameters<typeof ports>[0], UpdateFlags, Parameters<typeof ports>[0]]>([
    ['added', [dns], { publishAdd: ['8080:80'] }, [dns, web]],
    ['the same again', [web], { publishAdd: ['8080:80'] }, [web]],
    ['removed by target', [web, dns], { publishRm: ['80'] }, [dns]],
    ['removed by target and protocol', [web, dns], { publishRm: ['53/udp'] }, [web]],
    ['not there', [web, dns], { publishRm: ['53', '443'] }, [dns, web]],
    ['in another mode it is another', [web], { publishRm: ['target=80,mode=host'] }, [web]],
    ['moved', [web], { publishRm: ['80'], publishAdd: ['9090:80'] }, [{ ...web, PublishedPort: 9090 }]],
    ['removed and added as it was', [web], { publishRm: ['80'], publishAdd: ['8080:80'] }, [web]],
  ])('ports: %s', (_, present, flags, expected) => {
    expect(ports(present, flags)).toEqual(expected);
  });

  test.each<[string, Record<string, string>, UpdateFlags, Record<string, string>]>([
    ['added and changed', { a: '1' }, { labelAdd: ['a=2', 'b=3'] }, { a: '2', b: '3' }],
    ['removed', { a: '1' }, { labelRm: ['a', 'x'] }, {}],
    ['added and removed', { a: '1' }, { labelAdd: ['a=2'], labelRm: ['a'] }, { a: '2' }],
  ])('labels: %s', (_, Labels, flags, expected) => {
    expect(patchService({ ...specOf({}), Labels }, flags, OWN).Labels).toEqual(expected);
  });

  test('replicas, also none', () => {
    expect(patchService(specOf({}), { replicas: '0' }, OWN).Mode).toEqual({ Replicated: { Replicas: 0 } });
    expect(() => patchService({ ...specOf({}), Mode: { Global: {} } }, { replicas: '1' }, OWN)).toThrow(
      'replicas can only be used with replicated or replicated-job mode',
    );
  });

  test('the first setting of a rollout brings the other defaults along, but no order', () => {
    const { UpdateConfig, RollbackConfig } = patchService(specOf({}), { updateParallelism: '0' }, OWN);
    expect(UpdateConfig).toEqual({ Parallelism: 0, FailureAction: 'pause', Monitor: 5e9, MaxFailureRatio: 0 });
    expect(RollbackConfig).toBeUndefined();
  });

  test('a later setting leaves the others alone', () => {
    const present = { ...specOf({}), RollbackConfig: { Parallelism: 7, Delay: 1 } };
    const flags: UpdateFlags = {
      rollbackMonitor: '1m',
      rollbackFailureAction: 'continue',
      rollbackMaxFailureRatio: '0.5',
      rollbackOrder: 'start-first',
    };
    expect(patchService(present, flags, OWN).RollbackConfig).toEqual({
      Parallelism: 7,
      Delay: 1,
      Monitor: 60e9,
      FailureAction: 'continue',
      MaxFailureRatio: 0.5,
      Order: 'start-first',
    });
  });
});

describe('flags of placement and generic resources', () => {
  const gpu = (Value: number) => ({ DiscreteResourceSpec: { Kind: 'gpu', Value } });
  const spread = (SpreadDescriptor: string) => ({ Spread: { SpreadDescriptor } });
  test.each<[Partial<TaskSpec>, UpdateFlags, Partial<TaskSpec>]>([
    [{}, { constraintAdd: ['b==1', 'a==1'] }, { Placement: { Constraints: ['a==1', 'b==1'] } }],
    [{ Placement: { Constraints: ['a==1'] } }, { constraintRm: ['a==1'] }, {}],
    [
      { Placement: { Preferences: [spread('node.labels.a'), spread('node.labels.b')] } },
      { placementPrefRm: ['spread=node.labels.a'], placementPrefAdd: ['spread=node.labels.c'] },
      { Placement: { Preferences: [spread('node.labels.b'), spread('node.labels.c')] } },
    ],
    [{ Placement: { MaxReplicas: 2 } }, { replicasMaxPerNode: '0' }, {}],
    [{}, { replicasMaxPerNode: '3' }, { Placement: { MaxReplicas: 3 } }],
    [
      { Resources: { Reservations: { GenericResources: [gpu(1)] } } },
      { genericResourceAdd: ['gpu=2', 'ssd=s1'] },
      {
        Resources: {
          Limits: {},
          Reservations: { GenericResources: [gpu(2), { NamedResourceSpec: { Kind: 'ssd', Value: 's1' } }] },
        },
      },
    ],
    [
      { Resources: { Reservations: { GenericResources: [gpu(1)] } } },
      { genericResourceRm: ['gpu'] },
      { Resources: { Limits: {}, Reservations: {} } },
    ],
  ])('%j and %j', (present, flags, after) => {
    const { Placement, Resources } = patchService(specOf({}, present), flags, OWN).TaskTemplate;
    expect({ Placement, Resources }).toEqual({ Placement: undefined, Resources: undefined, ...after });
  });
});

test('no flags change nothing, and the spec that was read stays as it is', () => {
  const present = specOf({ Env: ['A=1'], Healthcheck: { Test: ['NONE'] } }, { ForceUpdate: 1 });
  const before = structuredClone(present);
  expect(patchService(present, { healthcheck: true }, OWN)).toEqual(before);
  patchService(present, { envAdd: ['B=1'], force: true, labelAdd: ['a'] }, OWN);
  expect(present).toEqual(before);
});

test.each<[UpdateFlags, string]>([
  [{ updateOrder: 'both' }, 'invalid argument "both" for "--update-order"'],
  [{ rollbackFailureAction: 'rollback' }, 'the actions are pause, continue'],
  [{ updateFailureAction: 'stop' }, 'pause, continue, rollback'],
  [{ updateMaxFailureRatio: '1.5' }, 'a number from 0 to 1'],
  [{ updateParallelism: '-1' }, '"--update-parallelism"'],
  [{ updateDelay: 'soon' }, '--update-delay'],
  [{ restartCondition: 'often' }, 'none, on-failure, any'],
  [{ healthcheck: false, healthCmd: 'true' }, '--no-healthcheck conflicts with --health-* options'],
  [{ mountAdd: ['target=/a', 'target=/a'] }, 'duplicate mount target'],
  [{ logOpt: ['a=1'] }, 'options need --log-driver'],
  [{ hostAdd: ['a'] }, 'name:address'],
  [{ ulimitAdd: ['nofile'] }, 'nofile=1024:2048'],
  [{ genericResourceRm: ['gpu'] }, 'could not find generic-resource `gpu` to remove it'],
  [{ placementPrefAdd: ['binpack=x'] }, 'only spread is supported'],
  [{ publishRm: ['web'] }, 'not a port'],
])('%o is refused', (flags, reason) => {
  expect(() => patchService(specOf({}), flags, OWN)).toThrow(reason);
});
