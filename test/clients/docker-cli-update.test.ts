import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import { serviceDocument } from '../support/documents.js';
import { scriptedDaemon } from '../support/scripted-daemon.js';

const run = promisify(execFile);

/** A service with something in each list that a flag can add to or remove from. */
const SPEC: ServiceSpec = {
  Name: 'web',
  Labels: { team: 'a', tier: 'front' },
  TaskTemplate: {
    ContainerSpec: {
      Image: 'web:1',
      Labels: { build: '1', owner: 'x' },
      Command: ['/bin/web'],
      Args: ['-v'],
      Env: ['LOG=info', 'TRACE=1'],
      Groups: ['adm', 'tty'],
      Mounts: [
        { Type: 'bind', Source: '/b', Target: '/two' },
        { Type: 'volume', Source: 'a', Target: '/one' },
      ],
      Hosts: ['10.0.0.1 db cache', '10.0.0.2 db'],
      DNSConfig: { Nameservers: ['10.0.0.9'], Search: ['b.test', 'a.test'], Options: ['ndots:2'] },
      CapabilityAdd: ['CAP_NET_ADMIN'],
      CapabilityDrop: ['CAP_CHOWN'],
      Sysctls: { 'net.core.somaxconn': '100' },
      Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 1e9 },
      Secrets: [{ SecretID: 's0', SecretName: 'old', File: { Name: 'old', UID: '0', GID: '0', Mode: 0o444 } }],
      Configs: [{ ConfigID: 'c0', ConfigName: 'old', File: { Name: '/old', UID: '0', GID: '0', Mode: 0o444 } }],
    },
    Resources: {
      Limits: { NanoCPUs: 1e9, Pids: 10 },
      Reservations: {
        MemoryBytes: 2 ** 20,
        GenericResources: [
          { DiscreteResourceSpec: { Kind: 'gpu', Value: 1 } },
          { DiscreteResourceSpec: { Kind: 'fpga', Value: 2 } },
        ],
      },
    },
    Placement: {
      Constraints: ['node.role==worker', 'node.labels.disk==ssd'],
      Preferences: [
        { Spread: { SpreadDescriptor: 'node.labels.zone' } },
        { Spread: { SpreadDescriptor: 'node.labels.rack' } },
      ],
      MaxReplicas: 2,
    },
    RestartPolicy: { Condition: 'on-failure', Delay: 1e9, MaxAttempts: 3 },
    LogDriver: { Name: 'json-file', Options: { 'max-size': '1m' } },
    ForceUpdate: 4,
  },
  Mode: { Replicated: { Replicas: 2 } },
  UpdateConfig: { Parallelism: 2, FailureAction: 'continue', Monitor: 7e9, MaxFailureRatio: 0.5, Order: 'start-first' },
  RollbackConfig: { Parallelism: 3, FailureAction: 'pause', Monitor: 7e9, MaxFailureRatio: 0, Order: 'stop-first' },
  EndpointSpec: {
    Mode: 'vip',
    Ports: [
      { Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' },
      { Protocol: 'udp', TargetPort: 53, PublishedPort: 5353, PublishMode: 'ingress' },
    ],
  },
};

/** A service with nothing but an image. */
const BARE: ServiceSpec = {
  Name: 'web',
  Labels: {},
  TaskTemplate: { ContainerSpec: { Image: 'web:1' }, ForceUpdate: 0 },
  Mode: { Replicated: { Replicas: 1 } },
};

/** A job with all that it may have. */
const JOB: ServiceSpec = { ...BARE, Mode: { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 5 } } };

const FLAGS: readonly string[] = [
  '--image web:2',
  '--args "-a two"',
  '--entrypoint /bin/other',
  '--env-add LOG=debug --env-add NEW=1',
  '--env-rm LOG --env-rm NOT_THERE',
  '--env-add TRACE=2 --env-rm TRACE',
  '--label-add team=b --label-add new',
  '--label-rm team --label-rm not-there',
  '--label-add tier=back --label-rm tier',
  '--container-label-add build=2 --container-label-rm owner',
  '--publish-add 9090:90',
  '--publish-add published=9090,target=90,mode=host',
  '--publish-rm 80',
  '--publish-rm 53/udp',
  '--publish-rm 53',
  '--publish-rm 9999:80 --publish-add 8081:80',
  '--mount-add type=volume,source=c,target=/three',
  '--mount-add type=tmpfs,target=/one',
  '--mount-rm /one --mount-rm /none',
  '--mount-add type=tmpfs,target=/four --mount-rm /four',
  '--group-add wheel --group-rm adm',
  '--group-add wheel --group-rm wheel',
  '--host-add new:10.0.0.3',
  '--host-rm db',
  '--host-rm db:10.0.0.2',
  '--host-rm cache --host-add cache:10.0.0.4',
  '--dns-add 10.0.0.1 --dns-rm 10.0.0.9',
  '--dns-add 10.0.0.9',
  '--dns-search-add 0.test --dns-search-rm a.test',
  '--dns-option-add debug --dns-option-rm ndots:2',
  '--cap-add CHOWN',
  '--cap-add SYS_TIME --cap-drop net_admin',
  '--cap-add ALL --cap-drop CAP_KILL',
  '--cap-add RESET --cap-drop RESET --cap-add KILL',
  '--cap-add KILL --cap-drop KILL',
  '--sysctl-add net.core.somaxconn=200 --sysctl-add net.ipv4.ip_forward=1',
  '--sysctl-rm net.core.somaxconn',
  '--ulimit-add nproc=5 --ulimit-add nofile=1:2',
  '--ulimit-rm nofile',
  '--replicas 0',
  '--limit-cpu 0.5 --limit-memory 64m --limit-pids 0',
  '--reserve-cpu 0.25 --reserve-memory 0',
  '--stop-signal SIGINT --stop-grace-period 1m30s',
  '--health-cmd "curl localhost" --health-retries 4',
  '--health-interval 2s --health-timeout 3s --health-start-period 4s',
  '--no-healthcheck',
  '--init',
  '--hostname h',
  '-w /tmp -u nobody:nogroup',
  '-t --read-only',
  '--init=false --tty=false --read-only=true --detach=true',
  '--log-driver syslog --log-opt tag=a',
  '--constraint-add node.labels.zone==a --constraint-add node.hostname!=h1',
  '--constraint-rm node.role==worker --constraint-rm node.role==manager',
  '--constraint-add node.role==manager --constraint-rm node.role==manager',
  '--placement-pref-add spread=node.labels.row',
  '--placement-pref-rm spread=node.labels.zone --placement-pref-rm spread=node.labels.row',
  '--placement-pref-add spread=node.labels.row --placement-pref-rm spread=node.labels.rack',
  '--generic-resource-add gpu=2 --generic-resource-add ssd=1',
  '--secret-add key',
  '--secret-add source=key,target=/etc/key,uid=1,gid=2,mode=0400',
  '--secret-rm old --secret-rm not-there',
  '--secret-rm old --secret-add source=key,target=old',
  '--config-add key',
  '--config-add source=key,target=/etc/key,uid=1,gid=2,mode=0400',
  '--config-rm old --config-rm not-there',
  '--config-rm old --config-add source=key,target=/old',
  '--force',
];

/** Flags by which docker's CLI refuses, or falls over, what has nothing of the kind. */
const FLAGS_OF_MUCH: readonly string[] = [
  '--replicas-max-per-node 3',
  '--replicas-max-per-node 0',
  '--generic-resource-rm gpu',
  '--generic-resource-rm gpu --generic-resource-rm fpga',
];

/** Flags that docker's CLI has for Engines of a later API. */
const LATER_FLAGS: readonly string[] = ['--oom-score-adj 100'];

const FLAGS_OF_JOBS: readonly string[] = [
  '--image web:2 --force',
  '--constraint-add node.role==worker --generic-resource-add gpu=1',
  '--secret-add key --config-add source=key,target=/key',
];

/** What each name leads to. */
const SECRETS = [{ ID: 's1', Spec: { Name: 'key', Labels: {} } }];
const CONFIGS = [{ ID: 'c1', Spec: { Name: 'key', Labels: {} } }];

/** Flags whose missing companions docker's CLI fills in by itself, which ours leaves to the daemon. */
const FLAGS_OF_POLICIES: readonly string[] = [
  '--restart-condition none --restart-max-attempts 9',
  '--restart-delay 2s --restart-window 1m',
  '--update-parallelism 0 --update-delay 1s --update-monitor 2s',
  '--update-failure-action rollback --update-max-failure-ratio 0.25 --update-order stop-first',
  '--rollback-parallelism 1 --rollback-delay 1s --rollback-monitor 2s',
  '--rollback-failure-action continue --rollback-max-failure-ratio 0.25 --rollback-order start-first',
];

describe.each([
  ['a service with everything', SPEC, [...FLAGS, ...FLAGS_OF_MUCH, ...LATER_FLAGS, ...FLAGS_OF_POLICIES]],
  ['a bare service', BARE, [...FLAGS, ...LATER_FLAGS]],
  ['a job', JOB, FLAGS_OF_JOBS],
])('service update of %s sends what the docker CLI sends', (_, spec, flagLines) => {
  test.each(flagLines)('%s', async (line) => {
    const document = { ...serviceDocument('web', 1), Spec: spec };
    await using daemon = await scriptedDaemon((request) => {
      if (request === 'GET /services/web') return { body: document };
      if (request === 'GET /secrets') return { body: SECRETS };
      if (request === 'GET /configs') return { body: CONFIGS };
      if (request === 'POST /services/web/update') return { body: { Warnings: null } };
      return undefined;
    });
    const flags = wordsOf(line);
    const later = LATER_FLAGS.includes(line) ? { DOCKER_API_VERSION: '1.46' } : {};
    const env = { ...process.env, ...later };
    await run('docker', ['-H', daemon.host, 'service', 'update', '-d', ...flags, 'web'], { env });
    expect(await runCli(['-H', daemon.host, 'service', 'update', '-d', ...flags, 'web'])).toBe(0);
    const [theirs, ours] = daemon.changes;
    expect(normal(ours?.body)).toEqual(normal(theirs?.body));
    expect(ours?.request).toContain('version=1');
  });
});

test('fields that the docker CLI does not know are kept', async () => {
  const spec = { ...BARE, Unheard: { Of: 1 } };
  await using daemon = await scriptedDaemon((request) =>
    request === 'GET /services/web' ? { body: { ...serviceDocument('web', 1), Spec: spec } } : { body: {} },
  );
  await runCli(['-H', daemon.host, 'service', 'update', '-d', '--image', 'web:2', 'web']);
  expect(daemon.changes[0]?.body).toMatchObject({ Unheard: { Of: 1 } });
});

const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** Without what says nothing in Go's JSON: nulls, empty texts, lists and maps; environment lines and generic resources sorted, docker's come in any order. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) {
    const parts = value.map(normal);
    if (parts.every((part) => typeof part === 'string' && part.includes('='))) return parts.sort();
    return parts.every(isGeneric) ? parts.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : parts;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, part]) => [key, normal(part)] as const)
      .filter(([, part]) => !saysNothing(part)),
  );
}

const isGeneric = (part: unknown): boolean =>
  typeof part === 'object' && part !== null && 'DiscreteResourceSpec' in part;

function saysNothing(part: unknown): boolean {
  if (part === null || part === undefined || part === '') return true;
  return typeof part === 'object' && Object.keys(part).length === 0;
}
