import { container, create, invalid, ports, type Rule, service, task, UNMARSHALLED } from './rule.js';
import { EARLIER, LATER_500, NAMED, NEWER, NO_CONTAINER, TEMPLATE_WORDS, WRONG_VALUE } from './reasons.js';

const health = (fields: Readonly<Record<string, unknown>>) => container({ Healthcheck: fields });
const mount = (...Mounts: readonly Readonly<Record<string, unknown>>[]) => container({ Mounts });

/** Sections 1.3 to 1.6: containers, updates, ports. */
export const CONTAINER_RULES: readonly Rule[] = [
  create(
    '1.3',
    'an image is required',
    container({ Image: '' }),
    invalid('ContainerSpec: image reference must be provided'),
  ),
  create(
    '1.3',
    'an image is a reference',
    container({ Image: 'A:B:C' }),
    invalid('ContainerSpec: "A:B:C" is not a valid repository/tag'),
  ),
  create(
    '1.3',
    'a container is required',
    { ...service(), TaskTemplate: {} },
    { status: 400, message: 'mismatched Runtime and *Spec fields' },
    { ...invalid('ContainerSpec: image reference must be provided'), because: NO_CONTAINER },
  ),
  create(
    '1.3',
    'mounts have targets of their own',
    mount({ Type: 'volume', Source: 'a', Target: '/x' }, { Type: 'tmpfs', Target: '/x' }),
    invalid('ContainerSpec: duplicate mount point: /x'),
  ),
  create(
    '1.3',
    'health interval 0 or at least 1 ms',
    health({ Interval: 999_999 }),
    invalid('ContainerSpec: Interval in HealthConfig cannot be less than 1ms'),
  ),
  create(
    '1.3',
    'health timeout 0 or at least 1 ms',
    health({ Timeout: 1 }),
    invalid('ContainerSpec: Timeout in HealthConfig cannot be less than 1ms'),
  ),
  create(
    '1.3',
    'health start period 0 or at least 1 ms',
    health({ StartPeriod: -1 }),
    invalid('ContainerSpec: StartPeriod in HealthConfig cannot be less than 1ms'),
  ),
  create(
    '1.3',
    'health start interval 0 or at least 1 ms',
    health({ StartInterval: 1 }),
    { status: 201, message: '' },
    { ...invalid('ContainerSpec: StartInterval in HealthConfig cannot be less than 1ms'), because: NEWER },
  ),
  create(
    '1.3',
    'swap needs a limit of memory',
    task({ Resources: { SwapBytes: 1 } }),
    { status: 201, message: '' },
    { ...invalid('memory swap provided, but no memory-limit was set'), because: NEWER },
  ),
  create(
    '1.3',
    'health retries not negative',
    health({ Retries: -1 }),
    invalid('ContainerSpec: Retries in HealthConfig cannot be negative'),
  ),
  create(
    '1.3',
    'a name begins with a letter or digit',
    service({ Name: '-web' }),
    invalid('name must be valid as a DNS name component'),
  ),
  create(
    '1.3',
    'a name ends with a letter or digit',
    service({ Name: 'web_' }),
    invalid('name must be valid as a DNS name component'),
  ),
  create(
    '1.3',
    'a name has letters, digits, - and _ only',
    service({ Name: 'a.b' }),
    invalid('name must be valid as a DNS name component'),
  ),
  create(
    '1.3',
    'a name has at most 63 characters',
    service({ Name: 'a'.repeat(64) }),
    invalid('name must be 63 characters or fewer'),
  ),
  create(
    '1.3',
    'bad generic resources pass',
    task({ Resources: { Reservations: { GenericResources: [{ DiscreteResourceSpec: { Kind: 'gpu', Value: -1 } }] } } }),
    { status: 201, message: '' },
    {
      status: 400,
      message: /invalid argument for resource gpu/,
      because: 'A generic resource of no kind, no value or a number below 1 is refused',
    },
  ),
  create(
    '1.3',
    'a constraint has an operator',
    task({ Placement: { Constraints: ['node.role'] } }),
    { status: 500, message: 'rpc error: code = Unknown desc = constraint expected one operator from ==, !=' },
    { ...invalid('constraint expected one operator from ==, !='), because: LATER_500 },
  ),

  // 1.4 ContainerSpec
  create(
    '1.4',
    'a template that cannot be read is refused',
    container({ Env: ['A={{.Nope}}'] }),
    invalid(
      `expanding env failed: expanding env "A={{.Nope}}": template: expansion:1:2: executing "expansion" at <.Nope>: can't evaluate field Nope in type *template.Context`,
    ),
    {
      status: 400,
      message: /^rpc error: code = InvalidArgument desc = expanding env failed: expanding env "A": .*\.Nope/,
      because: TEMPLATE_WORDS,
    },
  ),
  create(
    '1.4',
    'a mount target is absolute',
    mount({ Type: 'volume', Source: 'a', Target: 'x' }),
    { status: 201, message: '' },
    { ...invalid('ContainerSpec: Mounts[0]: invalid mount target, must be an absolute path: "x"'), because: EARLIER },
  ),
  create(
    '1.4',
    'a bind source is absolute',
    mount({ Type: 'bind', Source: 'a', Target: '/x' }),
    { status: 201, message: '' },
    {
      ...invalid('ContainerSpec: Mounts[0]: invalid bind mount source, must be an absolute path: "a"'),
      because: EARLIER,
    },
  ),
  create(
    '1.4',
    'a volume source is not absolute',
    mount({ Type: 'volume', Source: '/a', Target: '/x' }),
    { status: 201, message: '' },
    {
      ...invalid('ContainerSpec: Mounts[0]: invalid volume mount source, must not be an absolute path: /a'),
      because: EARLIER,
    },
  ),
  create(
    '1.4',
    'a tmpfs source is empty',
    mount({ Type: 'tmpfs', Source: 'a', Target: '/x' }),
    { status: 201, message: '' },
    { ...invalid('ContainerSpec: Mounts[0]: invalid tmpfs source, source must be empty'), because: EARLIER },
  ),
  create(
    '1.4',
    'npipes are for Windows',
    mount({ Type: 'npipe', Source: 'a', Target: '/x' }),
    { status: 201, message: '' },
    { status: 501, message: /Mounts\[0\]\.Type "npipe" is not implemented yet/, because: NAMED },
  ),
  create(
    '1.4',
    'a mount has a known type',
    mount({ Type: 'cloud', Source: 'a', Target: '/x' }),
    { status: 400, message: 'invalid MountType: "cloud"' },
    { status: 400, message: /Mounts\[0\]\.Type: must be one of .*, got "cloud"$/, because: WRONG_VALUE },
  ),
  create(
    '1.4',
    'a secret is there',
    container({ Secrets: [{ SecretID: 'none', SecretName: 'none', File: { Name: 'n' } }] }),
    invalid('secret not found: none'),
  ),
  create(
    '1.4',
    'a secret reference names its secret',
    container({ Secrets: [{ SecretName: 'key', File: { Name: 'n' } }] }),
    invalid('malformed secret reference'),
  ),
  create(
    '1.4',
    'a secret has a target',
    container({ Secrets: [{ SecretID: '{secrets/key}', SecretName: 'key' }] }),
    invalid('malformed secret reference, no target provided'),
  ),
  create(
    '1.4',
    'secrets have targets of their own',
    container({
      Secrets: ['a', 'b'].map(() => ({ SecretID: '{secrets/key}', SecretName: 'key', File: { Name: 'n' } })),
    }),
    invalid("secret references 'key' and 'key' have a conflicting target: 'n'"),
  ),
  create(
    '1.4',
    'a config is there',
    container({ Configs: [{ ConfigID: 'none', ConfigName: 'none', File: { Name: 'n' } }] }),
    invalid('config not found: none'),
  ),
  create(
    '1.4',
    'configs have targets of their own',
    container({
      Configs: ['a', 'b'].map(() => ({ ConfigID: '{configs/conf}', ConfigName: 'conf', File: { Name: 'n' } })),
    }),
    invalid("config references 'conf' and 'conf' have a conflicting target: 'n'"),
  ),

  // 1.5 UpdateConfig and RollbackConfig
  create(
    '1.5',
    'failure action pause, continue or rollback',
    service({ UpdateConfig: { FailureAction: 'cry' } }),
    { status: 400, message: 'unrecognized update failure action cry' },
    {
      status: 400,
      message: /UpdateConfig\.FailureAction: must be one of pause, continue, rollback, got "cry"$/,
      because: WRONG_VALUE,
    },
  ),
  create(
    '1.5',
    'order stop-first or start-first',
    service({ UpdateConfig: { Order: 'sideways' } }),
    { status: 400, message: 'unrecognized update order sideways' },
    {
      status: 400,
      message: /UpdateConfig\.Order: must be one of start-first, stop-first, got "sideways"$/,
      because: WRONG_VALUE,
    },
  ),
  create(
    '1.5',
    'parallelism not negative',
    service({ UpdateConfig: { Parallelism: -1 } }),
    { status: 400, message: UNMARSHALLED },
    { status: 400, message: /UpdateConfig\.Parallelism: must be at least 0, got -1$/, because: WRONG_VALUE },
  ),

  // 1.6 EndpointSpec
  create(
    '1.6',
    'ingress ports do not go with dnsrr',
    service({ EndpointSpec: { Mode: 'dnsrr', Ports: [{ TargetPort: 80, PublishedPort: 8090 }] } }),
    invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode"),
    { status: 501, message: /^EndpointSpec\.Mode "dnsrr" is not implemented yet: /, because: NAMED },
  ),
  create(
    '1.6',
    'a port is published once',
    ports({ TargetPort: 80, PublishedPort: 8090 }, { TargetPort: 81, PublishedPort: 8090 }),
    invalid('EndpointSpec: duplicate published ports provided'),
  ),
  create(
    '1.6',
    'a port is published once, whatever its mode',
    ports({ TargetPort: 80, PublishedPort: 8090, PublishMode: 'host' }, { TargetPort: 81, PublishedPort: 8090 }),
    invalid('EndpointSpec: duplicate published ports provided'),
  ),
  create(
    '1.6',
    "an ingress port is not another service's ingress port",
    ports({ TargetPort: 80, PublishedPort: 8081 }),
    invalid("port '8081' is already in use by service 'web' ({services/web}) as an ingress port"),
  ),
  create(
    '1.6',
    "a host port is not another service's ingress port",
    ports({ TargetPort: 80, PublishedPort: 8081, PublishMode: 'host' }),
    invalid("port '8081' is already in use by service 'web' ({services/web}) as an ingress port"),
  ),
  create(
    '1.6',
    "an ingress port is not another service's host port",
    ports({ TargetPort: 80, PublishedPort: 8082 }),
    invalid("port '8082' is already in use by service 'hosty' ({services/hosty}) as a host-published port"),
  ),
  create(
    '1.6',
    'two services may share a host port',
    ports({ TargetPort: 80, PublishedPort: 8082, PublishMode: 'host' }),
    { status: 201, message: '' },
  ),
  create(
    '1.6',
    'a protocol is tcp, udp or sctp',
    ports({ TargetPort: 80, Protocol: 'smoke' }),
    { status: 201, message: '' },
    {
      status: 400,
      message: /Ports\[0\]\.Protocol: must be one of tcp, udp, sctp, got "smoke"$/,
      because: "An unknown word for a port's protocol or publish mode is refused",
    },
  ),
  create(
    '1.6',
    'sctp ports are not routed by bale',
    ports({ TargetPort: 80, Protocol: 'sctp' }),
    { status: 201, message: '' },
    { status: 501, message: /Ports\[0\]\.Protocol "sctp" is not implemented yet/, because: NAMED },
  ),
];
