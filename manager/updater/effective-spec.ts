import { DEFAULT_RESTART_POLICY, DEFAULT_STOP_GRACE_PERIOD } from '../../proto/engine/service-defaults.js';
import { hostOptionsOf } from '../../proto/engine/host-labels.js';
import type { HostOptions } from '../../proto/engine/host-options.js';
import type { ContainerSpec } from '../../proto/engine/container-spec.js';
import { publishAddress, type HostPort } from '../../proto/engine/publish-address.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { misfitOf } from '../scheduler/misfit.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';

/** Fields whose zero says something else than their absence. */
const ZERO_COUNTS: ReadonlySet<string> = new Set([
  'StopGracePeriod',
  'Delay',
  'Init',
  'PublishedPort',
  'SwapBytes',
  'MemorySwappiness',
]);

/** By spec object: specs are immutable and shared by many tasks. */
const DIGESTS = new WeakMap<TaskSpec, string>();
/** The same, the placement left out. */
const BODIES = new WeakMap<TaskSpec, string>();

type Wanted = Pick<ServiceObject, 'spec' | 'ports'>;

/**
 * Whether a task runs what its service asks for, where it asks for it: then no update need touch it.
 * A task that another placement concerns stays while its node, undefined when it has none, suits.
 */
export const isUpToDate = (task: Effect, service: Wanted, node: NodeObject | undefined): boolean =>
  sameEffect(task, effectOf(service)) ||
  (node !== undefined && runsAlike(task, service) && misfitOf(service.spec.TaskTemplate, node) === undefined);

/** Whether a task runs what its service asks for, wherever that is. */
export const runsAlike = (task: Effect, service: Wanted): boolean => {
  const wanted = effectOf(service);
  return (task.spec === wanted.spec || bodyDigest(task.spec) === bodyDigest(wanted.spec)) && sameHost(task, wanted);
};

const effectOf = (service: Wanted): Effect => ({
  spec: service.spec.TaskTemplate,
  hostPorts: hostPortsOf(service),
  hostOptions: hostOptionsOf(service.spec.Labels),
});

export const hostPortsOf = ({ spec, ports }: Wanted): readonly HostPort[] =>
  ports.flatMap((port) => {
    if (port.PublishMode !== 'host') return [];
    const HostIp = publishAddress(spec.Labels, port.TargetPort ?? 0);
    return [HostIp === undefined ? port : { ...port, HostIp }];
  });

interface Effect extends Pick<TaskObject, 'spec' | 'hostPorts'> {
  readonly hostOptions?: HostOptions | undefined;
}

/** Whether two tasks would run alike: the order of sets, and defaults written out, make no difference. */
export const sameEffect = (a: Effect, b: Effect): boolean =>
  (a.spec === b.spec || effectiveDigest(a.spec) === effectiveDigest(b.spec)) && sameHost(a, b);

/** What they have of their node beyond what their specs say. */
const sameHost = (a: Effect, b: Effect): boolean => samePorts(a, b) && sameOptions(a.hostOptions, b.hostOptions);

/** Both are written by the same code, in one order of keys. */
export const sameOptions = (a: HostOptions | undefined, b: HostOptions | undefined): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

const samePorts = (a: Effect, b: Effect): boolean =>
  a.hostPorts === b.hostPorts ||
  (a.hostPorts.length === 0 && b.hostPorts.length === 0) ||
  portsDigest(a.hostPorts) === portsDigest(b.hostPorts);

/** A text that is the same for two specs exactly when their containers, and where they may run, are the same. */
export function effectiveDigest(spec: TaskSpec): string {
  const known = DIGESTS.get(spec);
  if (known !== undefined) return known;
  const digest = canonical(normalized(spec));
  DIGESTS.set(spec, digest);
  return digest;
}

function bodyDigest(spec: TaskSpec): string {
  const known = BODIES.get(spec);
  if (known !== undefined) return known;
  const { Placement, ...body } = spec;
  const digest = Placement === undefined ? effectiveDigest(spec) : canonical(normalized(body));
  BODIES.set(spec, digest);
  return digest;
}

function normalized(spec: TaskSpec): unknown {
  const { ContainerSpec: container, RestartPolicy, Runtime = 'container', Placement, ...rest } = spec;
  return {
    ...rest,
    Runtime,
    ContainerSpec: normalizedContainer(container),
    RestartPolicy: { ...DEFAULT_RESTART_POLICY, ...RestartPolicy },
    Placement: { ...Placement, Platforms: sorted(Placement?.Platforms), Constraints: sorted(Placement?.Constraints) },
  };
}

function normalizedContainer(container: ContainerSpec): unknown {
  const { Isolation = 'default', StopGracePeriod = DEFAULT_STOP_GRACE_PERIOD, Init, ...rest } = container;
  return {
    ...rest,
    Isolation,
    StopGracePeriod,
    ...(Init === undefined || Init === null ? {} : { Init }),
    Env: sortedEnvironment(container.Env ?? []),
    Mounts: sorted(container.Mounts),
    Groups: sorted(container.Groups),
    CapabilityAdd: sorted(container.CapabilityAdd),
    CapabilityDrop: sorted(container.CapabilityDrop),
    Ulimits: sorted(container.Ulimits),
    // Each version of a secret or config has an id of its own: another version is another effect.
    Secrets: sorted(container.Secrets),
    Configs: sorted(container.Configs),
  };
}

/** Of two values of one variable the later counts, as for the Engine. */
const sortedEnvironment = (env: readonly string[]): readonly string[] =>
  sorted([...new Map(env.map((line) => [line.split('=', 1)[0] ?? '', line])).values()]);

const sorted = <T>(items: readonly T[] | undefined): readonly T[] =>
  [...(items ?? [])].sort((a, b) => compare(canonical(a), canonical(b)));

const portsDigest = (ports: readonly HostPort[]): string => canonical(sorted(ports));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Maps from names that users choose: an empty value there is a value. */
const MAPS: ReadonlySet<string> = new Set(['Labels', 'Sysctls', 'Options']);

/** JSON with sorted keys; what is empty or zero is left out, as it is in a spec. */
function canonical(value: unknown): string {
  return JSON.stringify(pruned(value, '') ?? null);
}

function pruned(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => pruned(item, '') ?? null);
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .map(([name, inner]) => [name, MAPS.has(key) ? inner : pruned(inner, name)] as const)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => compare(a, b));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
  const isZero = value === '' || value === 0 || value === false || value === null;
  return isZero && !ZERO_COUNTS.has(key) ? undefined : value;
}
