import { expect } from 'vitest';
import { SECCOMP_PROFILE } from './field-services.js';

/** How a field of the service named first shows that it is not ignored. */
export type Proof =
  /** In `docker inspect` of its container; `path` as for `valueAt`. */
  | { readonly kind: 'inspect'; readonly service: string; readonly path: string; readonly is: unknown }
  /** By what a script prints inside its container. */
  | { readonly kind: 'inside'; readonly service: string; readonly script: string; readonly is: unknown }
  /** As `inspect` where the kernel can do it; else its task is rejected with words that match. */
  | {
      readonly kind: 'kernel';
      readonly service: string;
      readonly path: string;
      readonly is: unknown;
      readonly says: RegExp;
    }
  /** In the API's document of the service. */
  | { readonly kind: 'service'; readonly service: string; readonly path: string; readonly is: unknown }
  /** A task of it that does not run says why. */
  | { readonly kind: 'waits'; readonly service: string; readonly says: RegExp }
  /** How many tasks of it there are in the end, in these states. */
  | { readonly kind: 'tasks'; readonly service: string; readonly states: readonly string[] }
  /** ms between its first two tasks' ends (`restart`), or from its container's start until its task ran (`start`). */
  | {
      readonly kind: 'time';
      readonly service: string;
      readonly of: 'restart' | 'start';
      readonly least: number;
      readonly most: number;
    }
  /** It concerns no single container: another test shows it, under a title that holds these words. */
  | { readonly kind: 'elsewhere'; readonly file: string; readonly title: string };

const inspect = (service: string, path: string, is: unknown): Proof => ({ kind: 'inspect', service, path, is });
const full = (path: string, is: unknown): Proof => inspect('full', path, is);
const mount = (path: string, is: unknown): Proof => inspect('mounted', `HostConfig ${path}`, is);
const inside = (service: string, script: string, is: unknown): Proof => ({ kind: 'inside', service, script, is });
const waits = (service: string, says: RegExp): Proof => ({ kind: 'waits', service, says });
const tasks = (service: string, ...states: string[]): Proof => ({ kind: 'tasks', service, states });
const elsewhere = (file: string, title: string): Proof => ({ kind: 'elsewhere', file, title });
const has = (...items: unknown[]): unknown => expect.arrayContaining(items);
const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const MIB = 2 ** 20;
const UPDATER = 'test/unit/manager/updater/updater.test.ts';
const VERDICTS = 'test/unit/manager/updater/verdicts.test.ts';

const CONTAINER: Readonly<Record<string, Proof>> = {
  Image: full('Config Image', 'bale-test:1'),
  Labels: full('Config Labels own', 'label'),
  Command: full('Config Entrypoint', ['sh', '-c']),
  Args: full('Config Cmd', [like(/^trap/)]),
  Hostname: full('Config Hostname', 'named'),
  Env: full('Config Env', has('A=1', 'AT=h1/1')),
  Dir: full('Config WorkingDir', '/tmp'),
  User: inside('full', 'id -u', '1000'),
  Groups: inside('full', 'id -G', like(/\b2000\b/)),
  'Privileges.SELinuxContext.Disable': inspect('open', 'HostConfig SecurityOpt', has('label=disable')),
  'Privileges.SELinuxContext.User': inspect('guarded', 'HostConfig SecurityOpt', has('label=user:u')),
  'Privileges.SELinuxContext.Role': inspect('guarded', 'HostConfig SecurityOpt', has('label=role:r')),
  'Privileges.SELinuxContext.Type': inspect('guarded', 'HostConfig SecurityOpt', has('label=type:t')),
  'Privileges.SELinuxContext.Level': inspect('guarded', 'HostConfig SecurityOpt', has('label=level:s0')),
  'Privileges.Seccomp.Mode': inspect('open', 'HostConfig SecurityOpt', has('seccomp=unconfined')),
  'Privileges.Seccomp.Profile': inspect(
    'guarded',
    'HostConfig SecurityOpt',
    has(`seccomp=${JSON.stringify(SECCOMP_PROFILE)}`),
  ),
  'Privileges.AppArmor.Mode': inspect('open', 'HostConfig SecurityOpt', has('apparmor=unconfined')),
  'Privileges.NoNewPrivileges': inside('guarded', 'cat /proc/self/status', like(/NoNewPrivs:\s+1/)),
  Init: full('HostConfig Init', true),
  StopSignal: full('Config StopSignal', 'SIGINT'),
  TTY: full('Config Tty', true),
  OpenStdin: full('Config OpenStdin', true),
  ReadOnly: full('HostConfig ReadonlyRootfs', true),
  'Mounts[].Type': mount('Mounts /plain Type', 'tmpfs'),
  'Mounts[].Source': mount('Mounts /vol Source', 'data-1'),
  'Mounts[].Target': inside('mounted', 'ls /bound', like(/\bhere\b/)),
  'Mounts[].ReadOnly': inside('mounted', 'touch /bound/no 2>&1', like(/Read-only/)),
  'Mounts[].Consistency': mount('Mounts /bound Consistency', 'cached'),
  'Mounts[].BindOptions.Propagation': mount('Mounts /bound BindOptions Propagation', 'private'),
  'Mounts[].BindOptions.NonRecursive': mount('Mounts /bound BindOptions NonRecursive', true),
  'Mounts[].BindOptions.CreateMountpoint': mount('Binds', [like(/\/made:\/made$/)]),
  'Mounts[].VolumeOptions.NoCopy': mount('Mounts /vol VolumeOptions NoCopy', true),
  'Mounts[].VolumeOptions.Labels': mount('Mounts /vol VolumeOptions Labels', { of: 'mounted' }),
  'Mounts[].VolumeOptions.DriverConfig.Name': mount('Mounts /vol VolumeOptions DriverConfig Name', 'local'),
  'Mounts[].VolumeOptions.DriverConfig.Options': inside('mounted', 'mount', like(/tmpfs on \/vol .*size=1024k/)),
  'Mounts[].TmpfsOptions.SizeBytes': inside('mounted', 'mount', like(/on \/plain .*size=1024k/)),
  'Mounts[].TmpfsOptions.Mode': inside('mounted', 'mount', like(/on \/plain .*mode=700/)),
  'Mounts[].TmpfsOptions.Options': mount('Tmpfs', { '/runs': 'size=1048576,exec,uid=33' }),
  StopGracePeriod: full('Config StopTimeout', 3),
  'Healthcheck.Test': full('Config Healthcheck Test', ['CMD', 'true']),
  'Healthcheck.Interval': full('Config Healthcheck Interval', 7e9),
  'Healthcheck.Timeout': full('Config Healthcheck Timeout', 4e9),
  'Healthcheck.Retries': full('Config Healthcheck Retries', 5),
  'Healthcheck.StartPeriod': full('Config Healthcheck StartPeriod', 2e9),
  // Twenty probes: the agent's own pauses, which double up to 5 s, would take more than a minute.
  'Healthcheck.StartInterval': { kind: 'time', service: 'probed', of: 'start', least: 900, most: 60_000 },
  Hosts: full('HostConfig ExtraHosts', ['db:10.0.0.9', 'other:10.0.0.9']),
  'DNSConfig.Nameservers': full('HostConfig Dns', ['10.0.0.8']),
  'DNSConfig.Search': full('HostConfig DnsSearch', ['a.test']),
  'DNSConfig.Options': full('HostConfig DnsOptions', ['ndots:3']),
  'Secrets[].File.Name': inside('full', 'ls /run/secrets', 'key.pem'),
  'Secrets[].File.UID': inside('full', 'ls -n /run/secrets', like(/ 33 /)),
  'Secrets[].File.GID': inside('full', 'ls -n /run/secrets', like(/ 34 /)),
  'Secrets[].File.Mode': inside('full', 'ls -n /run/secrets', like(/-r--r-----/)),
  'Secrets[].SecretID': full('HostConfig Mounts /run/secrets/key.pem Type', 'bind'),
  'Secrets[].SecretName': full('HostConfig Mounts /run/secrets/key.pem ReadOnly', true),
  'Configs[].File.Name': inside('full', 'cat /etc/app.conf', 'a config'),
  'Configs[].File.UID': inside('full', 'ls -n /etc/app.conf', like(/ 33 /)),
  'Configs[].File.GID': inside('full', 'ls -n /etc/app.conf', like(/ 34 /)),
  'Configs[].File.Mode': inside('full', 'ls -n /etc/app.conf', like(/-r--r--r--/)),
  'Configs[].ConfigID': full('HostConfig Mounts /etc/app.conf Type', 'bind'),
  'Configs[].ConfigName': full('HostConfig Mounts /etc/app.conf ReadOnly', true),
  Isolation: full('HostConfig Isolation', like(/^(default)?$/)),
  Sysctls: inside('full', 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start', '1000'),
  CapabilityAdd: full('HostConfig CapAdd', [like(/NET_ADMIN/)]),
  CapabilityDrop: full('HostConfig CapDrop', [like(/CHOWN/)]),
  'Ulimits[].Name': full('HostConfig Ulimits 0 Name', 'nofile'),
  'Ulimits[].Hard': inside('full', 'ulimit -Hn', '200'),
  // Not inside: some versions of runc now and then leave its children the hard limit for both.
  'Ulimits[].Soft': full('HostConfig Ulimits 0 Soft', 100),
  OomScoreAdj: inside('full', 'cat /proc/self/oom_score_adj', '300'),
};

const TASK: Readonly<Record<string, Proof>> = {
  'Resources.Limits.NanoCPUs': full('HostConfig NanoCpus', 5e8),
  'Resources.Limits.MemoryBytes': full('HostConfig Memory', 64 * MIB),
  'Resources.Limits.Pids': full('HostConfig PidsLimit', 50),
  'Resources.Reservations.NanoCPUs': waits('greedy', /CPU/),
  'Resources.Reservations.MemoryBytes': full('HostConfig MemoryReservation', 32 * MIB),
  'Resources.Reservations.GenericResources[].NamedResourceSpec.Kind': full('Config Env', has('DOCKER_RESOURCE_GPU=u2')),
  'Resources.Reservations.GenericResources[].NamedResourceSpec.Value': full(
    'Config Env',
    has('DOCKER_RESOURCE_GPU=u2'),
  ),
  'Resources.Reservations.GenericResources[].DiscreteResourceSpec.Kind': full(
    'Config Env',
    has('DOCKER_RESOURCE_SSD=3'),
  ),
  'Resources.Reservations.GenericResources[].DiscreteResourceSpec.Value': full(
    'Config Env',
    has('DOCKER_RESOURCE_SSD=3'),
  ),
  'Resources.SwapBytes': {
    kind: 'kernel',
    service: 'swap',
    path: 'HostConfig MemorySwap',
    is: 40 * MIB,
    says: /Resources\.SwapBytes: the kernel of this node cannot limit swap/,
  },
  'Resources.MemorySwappiness': {
    kind: 'kernel',
    service: 'swappiness',
    path: 'HostConfig MemorySwappiness',
    is: 40,
    says: /Resources\.MemorySwappiness: the kernel of this node/,
  },
  'RestartPolicy.Condition': tasks('crashing', 'failed', 'failed'),
  'RestartPolicy.Delay': { kind: 'time', service: 'crashing', of: 'restart', least: 700, most: 60_000 },
  'RestartPolicy.MaxAttempts': tasks('crashing', 'failed', 'failed'),
  'RestartPolicy.Window': elsewhere(
    'test/unit/manager/orchestrator/restart.test.ts',
    'only those within the window count',
  ),
  'Placement.Constraints': waits('constrained', /node\.labels\.disk==ssd/),
  'Placement.Preferences[].Spread.SpreadDescriptor': elsewhere(
    'test/property/scheduler-placement.test.ts',
    'each level of a spread is within one of even',
  ),
  'Placement.MaxReplicas': tasks('pair', 'pending', 'running'),
  'Placement.Platforms[].Architecture': waits('elsewhere', /platform/),
  'Placement.Platforms[].OS': waits('windows', /platform/),
  'LogDriver.Name': full('HostConfig LogConfig Type', 'json-file'),
  'LogDriver.Options': full('HostConfig LogConfig Config', { 'max-size': '1m' }),
  ForceUpdate: inspect('forced', 'Name', like(/^\/forced\.1\./)),
  Runtime: full('State Running', true),
};

const rollout = (config: string): Readonly<Record<string, Proof>> => ({
  [`${config}.Parallelism`]: elsewhere('test/property/updater.test.ts', 'no more tasks run than it allows'),
  [`${config}.Delay`]: elsewhere(UPDATER, 'waits the delay between two slots'),
  [`${config}.FailureAction`]: elsewhere(VERDICTS, 'ends at its progress deadline: %s'),
  [`${config}.Monitor`]: elsewhere(UPDATER, 'while it is watched'),
  [`${config}.MaxFailureRatio`]: elsewhere(UPDATER, 'suffers as many failures as its ratio allows'),
  [`${config}.Order`]: elsewhere(UPDATER, 'stops first when told to'),
});

const under = (prefix: string, proofs: Readonly<Record<string, Proof>>): Readonly<Record<string, Proof>> =>
  Object.fromEntries(Object.entries(proofs).map(([path, proof]) => [`${prefix}.${path}`, proof]));

const PORT = '53/udp';

/** A proof for each field of a ServiceSpec that is not refused. */
export const FIELD_PROOFS: Readonly<Record<string, Proof>> = {
  Name: full('Name', like(/^\/full\.1\./)),
  Labels: full('Config Env', has('TIER=front')),
  ...under('TaskTemplate.ContainerSpec', CONTAINER),
  ...under('TaskTemplate', TASK),
  'Mode.Replicated.Replicas': tasks('pair', 'pending', 'running'),
  'Mode.Global': inspect('everywhere', 'Name', like(/^\/everywhere\.[a-z0-9]{25}\.[a-z0-9]{25}$/)),
  'Mode.ReplicatedJob.MaxConcurrent': elsewhere('test/hosts/service-modes.test.ts', 'a few at a time'),
  'Mode.ReplicatedJob.TotalCompletions': tasks('batch', 'complete', 'complete', 'complete'),
  'Mode.GlobalJob': tasks('once', 'complete'),
  ...rollout('UpdateConfig'),
  ...rollout('RollbackConfig'),
  'EndpointSpec.Mode': { kind: 'service', service: 'full', path: 'Endpoint Spec Mode', is: 'vip' },
  'EndpointSpec.Ports[].Name': { kind: 'service', service: 'full', path: 'Endpoint Ports 0 Name', is: 'web' },
  'EndpointSpec.Ports[].Protocol': full(`HostConfig PortBindings ${PORT}`, [expect.anything()]),
  'EndpointSpec.Ports[].TargetPort': full(`NetworkSettings Ports ${PORT} 0 HostPort`, '5353'),
  'EndpointSpec.Ports[].PublishedPort': full(`HostConfig PortBindings ${PORT} 0 HostPort`, '5353'),
  'EndpointSpec.Ports[].PublishMode': full(`HostConfig PortBindings ${PORT} 0 HostPort`, '5353'),
};

/** Fields of which some values are refused, each with one. */
export const VALUES_REFUSED: Readonly<Record<string, unknown>> = {
  'TaskTemplate.ContainerSpec.Mounts[].Type': 'npipe',
  'TaskTemplate.ContainerSpec.Isolation': 'hyperv',
  'TaskTemplate.Runtime': 'plugin',
  'EndpointSpec.Mode': 'dnsrr',
  'EndpointSpec.Ports[].Protocol': 'sctp',
};
