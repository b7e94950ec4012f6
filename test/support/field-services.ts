import { serviceBody } from './service-body.js';
import { TEST_IMAGE } from './test-image.js';

/** Documents of a secret and a config that are there. */
export interface GivenFiles {
  readonly secretId: string;
  readonly configId: string;
  /** A directory of the host with a file `here` in it. */
  readonly directory: string;
}

type Body = Readonly<Record<string, unknown>>;

const MIB = 2 ** 20;
/** Runs until it is told to end. */
const IDLE = { Command: ['sh', '-c'], Args: ['trap "exit 0" TERM; while :; do sleep 1; done'] };

const service = (Name: string, container: Body, task: Body = {}, rest: Body = {}): Body =>
  serviceBody({
    Name,
    Mode: { Replicated: { Replicas: 1 } },
    ...rest,
    TaskTemplate: { ...task, ContainerSpec: { Image: TEST_IMAGE, ...IDLE, StopGracePeriod: 1e9, ...container } },
  });

const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** All is allowed but to make directories. */
export const SECCOMP_PROFILE = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
};

const file = (Name: string, Mode: number): Body => ({ Name, UID: '33', GID: '34', Mode });

/** The services by which test/hosts/fields.test.ts shows that each field does something; as few as will do. */
export const fieldServices = ({ secretId, configId, directory }: GivenFiles): readonly Body[] => [
  service(
    'full',
    {
      Labels: { own: 'label' },
      Hostname: 'named',
      Env: ['A=1', 'TIER={{.Service.Labels.tier}}', 'AT={{.Node.Hostname}}/{{.Task.Slot}}'],
      Dir: '/tmp',
      User: 'app',
      Groups: ['2000'],
      Init: true,
      StopSignal: 'SIGINT',
      StopGracePeriod: 3e9,
      TTY: true,
      OpenStdin: true,
      ReadOnly: true,
      Healthcheck: { Test: ['CMD', 'true'], Interval: 7e9, Timeout: 4e9, Retries: 5, StartPeriod: 2e9 },
      Hosts: ['10.0.0.9 db other'],
      DNSConfig: { Nameservers: ['10.0.0.8'], Search: ['a.test'], Options: ['ndots:3'] },
      Isolation: 'default',
      Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '1000' },
      CapabilityAdd: ['CAP_NET_ADMIN'],
      CapabilityDrop: ['CAP_CHOWN'],
      Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
      OomScoreAdj: 300,
      Secrets: [{ SecretID: secretId, SecretName: 'key', File: file('key.pem', 0o440) }],
      Configs: [{ ConfigID: configId, ConfigName: 'conf', File: file('/etc/app.conf', 0o444) }],
    },
    {
      Resources: {
        Limits: { NanoCPUs: 5e8, MemoryBytes: 64 * MIB, Pids: 50 },
        Reservations: {
          NanoCPUs: 1e8,
          MemoryBytes: 32 * MIB,
          GenericResources: [
            { NamedResourceSpec: { Kind: 'gpu', Value: 'u2' } },
            { DiscreteResourceSpec: { Kind: 'ssd', Value: 3 } },
          ],
        },
      },
      LogDriver: { Name: 'json-file', Options: { 'max-size': '1m' } },
      Runtime: 'container',
    },
    {
      Labels: { tier: 'front' },
      EndpointSpec: {
        Mode: 'vip',
        Ports: [{ Name: 'web', Protocol: 'udp', TargetPort: 53, PublishedPort: 5353, PublishMode: 'host' }],
      },
    },
  ),
  service('mounted', {
    Mounts: [
      {
        Type: 'bind',
        Source: directory,
        Target: '/bound',
        ReadOnly: true,
        Consistency: 'cached',
        BindOptions: { Propagation: 'private', NonRecursive: true },
      },
      { Type: 'bind', Source: `${directory}/made`, Target: '/made', BindOptions: { CreateMountpoint: true } },
      {
        Type: 'volume',
        Source: 'data-{{.Task.Slot}}',
        Target: '/vol',
        VolumeOptions: {
          NoCopy: true,
          Labels: { of: '{{.Service.Name}}' },
          DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } },
        },
      },
      { Type: 'tmpfs', Target: '/plain', TmpfsOptions: { SizeBytes: MIB, Mode: 0o700 } },
      { Type: 'tmpfs', Target: '/runs', TmpfsOptions: { SizeBytes: MIB, Options: [['exec'], ['uid', '33']] } },
    ],
  }),
  service('guarded', {
    Privileges: {
      SELinuxContext: { User: 'u', Role: 'r', Type: 't', Level: 's0' },
      Seccomp: { Mode: 'custom', Profile: base64(JSON.stringify(SECCOMP_PROFILE)) },
      NoNewPrivileges: true,
    },
  }),
  service('open', {
    Privileges: {
      SELinuxContext: { Disable: true },
      Seccomp: { Mode: 'unconfined' },
      AppArmor: { Mode: 'disabled' },
    },
  }),
  service('probed', {
    Healthcheck: {
      Test: ['CMD-SHELL', 'echo >> /tmp/probes; test $(wc -l < /tmp/probes) -ge 20'],
      Interval: 60e9,
      StartPeriod: 60e9,
      StartInterval: 50e6,
    },
  }),
  service('swap', {}, { Resources: { Limits: { MemoryBytes: 32 * MIB }, SwapBytes: 8 * MIB } }),
  service('swappiness', {}, { Resources: { MemorySwappiness: 40 } }),
  service('forced', {}, { ForceUpdate: 1 }),
  service(
    'crashing',
    { Args: ['exit 3'] },
    { RestartPolicy: { Condition: 'on-failure', Delay: 700e6, MaxAttempts: 1, Window: 60e9 } },
  ),
  service('greedy', {}, { Resources: { Reservations: { NanoCPUs: 1e12 } } }),
  service('constrained', {}, { Placement: { Constraints: ['node.labels.disk==ssd'] } }),
  service('elsewhere', {}, { Placement: { Platforms: [{ Architecture: 's390x' }] } }),
  service('windows', {}, { Placement: { Platforms: [{ OS: 'windows' }] } }),
  service('pair', {}, { Placement: { MaxReplicas: 1 } }, { Mode: { Replicated: { Replicas: 2 } } }),
  service('everywhere', {}, {}, { Mode: { Replicated: null, Global: {} } }),
  service(
    'batch',
    { Args: ['exit 0'] },
    {},
    { Mode: { Replicated: null, ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 3 } } },
  ),
  service('once', { Args: ['exit 0'] }, {}, { Mode: { Replicated: null, GlobalJob: {} } }),
];

/** Where the manager's sample has an absolute path and this node has not. */
const here = (there: string, node: string): string => `{{if eq .Node.Hostname "h1"}}${node}{{else}}${there}{{end}}`;

/** Mounts that only their node can refuse, and what it says. */
export const MOUNTS_REFUSED_BY_NODES: readonly (readonly [name: string, mount: Body, says: RegExp])[] = [
  [
    'a bind source that is not there',
    { Type: 'bind', Source: '/no/such/place', Target: '/a' },
    /invalid mount config for type "bind": bind source path does not exist: \/no\/such\/place/,
  ],
  [
    'a relative target',
    { Type: 'tmpfs', Target: here('/abs', 'rel') },
    /expanding mounts failed: Mounts\[0\]: invalid mount target, must be an absolute path: "rel"/,
  ],
  [
    'a relative bind source',
    { Type: 'bind', Source: here('/abs', 'rel'), Target: '/a', BindOptions: { CreateMountpoint: true } },
    /Mounts\[0\]: invalid bind mount source, must be an absolute path: "rel"/,
  ],
  [
    'an absolute volume source',
    { Type: 'volume', Source: here('data', '/abs'), Target: '/a' },
    /Mounts\[0\]: invalid volume mount source, must not be an absolute path: \/abs/,
  ],
  [
    'a tmpfs source',
    { Type: 'tmpfs', Source: here('', 'data'), Target: '/a' },
    /Mounts\[0\]: invalid tmpfs source, source must be empty/,
  ],
  [
    'a volume driver that the node does not have',
    { Type: 'volume', Source: 'd', Target: '/a', VolumeOptions: { DriverConfig: { Name: 'nodriver' } } },
    /nodriver/,
  ],
  [
    'options of a tmpfs that the Engine does not know',
    { Type: 'tmpfs', Target: '/a', TmpfsOptions: { Options: [['noway']] } },
    /noway/,
  ],
];

export const mountedService = (Name: string, mount: Body): Body =>
  service(Name, { Mounts: [mount] }, { RestartPolicy: { Condition: 'none' } });
