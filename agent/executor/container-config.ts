import { BaleError } from '../../core/errors.js';
import type { Assignment } from '../../proto/assignment.js';
import type { ContainerSpec, Mount } from '../../proto/engine/container-spec.js';
import { genericEnvironment } from '../../proto/engine/generic-resource.js';
import type { HostPort } from '../../proto/engine/publish-address.js';
import type { PortConfig } from '../../proto/engine/service-spec.js';
import type { ResourceRequirements } from '../../proto/engine/task-spec.js';
import { publishAddresses, whyNowhere } from '../publish-address.js';
import { containerName, taskLabels } from './container-labels.js';
import { hostMounts, type HostMounts } from './container-mounts.js';
import { hostOptionFields } from './host-options.js';
import { securityOptions } from './security-options.js';
import { taskFileMounts } from './task-file.js';
import { withTemplatesExpanded, type NodeFacts } from './task-templates.js';

/** ns; what the Engine API gives a ContainerSpec without StopGracePeriod. */
export const DEFAULT_STOP_GRACE = 10_000_000_000;

export interface LogConfig {
  readonly Type: string;
  readonly Config: Readonly<Record<string, string>>;
}

export interface ContainerConfigContext {
  /** This machine, as the templates of a task name it. */
  readonly node: NodeFacts;
  /** For tasks that name no log driver; absent = the Engine's own default. */
  readonly defaultLog?: LogConfig;
  /** Where this host keeps a file of the task, by its name. */
  readonly fileSource: (name: string) => string;
  /** The addresses of this host. */
  readonly hostAddresses: () => readonly string[];
}

/** The body of `POST /containers/create`. */
export interface ContainerCreateBody extends Readonly<Record<string, unknown>> {
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

/**
 * What the Engine must create for a task, field by field as Swarm's own executor maps them. Fields that
 * the spec leaves out are left out, so that the image's and the Engine's defaults hold. Ingress ports
 * are not bound: the mesh dials the container. Throws BALE_TEMPLATE_FAILED, and BALE_NO_PUBLISH_ADDRESS when
 * a port is for addresses that this host does not have.
 */
export function containerConfig(
  task: Assignment,
  context: ContainerConfigContext,
): { readonly name: string; readonly body: ContainerCreateBody } {
  const assignment = withTemplatesExpanded(task, context.node);
  const nodeId = context.node.ID;
  const spec = assignment.spec.ContainerSpec;
  return {
    name: containerName(assignment, nodeId),
    body: {
      Image: spec.Image,
      ...command(spec),
      ...given({
        Env: environment(assignment),
        Hostname: spec.Hostname,
        WorkingDir: spec.Dir,
        User: spec.User,
        StopSignal: spec.StopSignal,
        Tty: spec.TTY,
        OpenStdin: spec.OpenStdin,
        Healthcheck: spec.Healthcheck,
      }),
      // So that an Engine that stops on its own keeps the same grace.
      StopTimeout: graceSeconds(spec.StopGracePeriod ?? DEFAULT_STOP_GRACE),
      Labels: { ...spec.Labels, ...taskLabels(assignment, nodeId) },
      ExposedPorts: Object.fromEntries(assignment.hostPorts.map((port) => [portKey(port), {}])),
      HostConfig: hostConfig(assignment, context),
    },
  };
}

/** Whole seconds, the Engine's unit; rounded up, since 0 would mean no grace at all. */
export const graceSeconds = (nanoseconds: number): number => Math.ceil(nanoseconds / 1e9);

function hostConfig(assignment: Assignment, context: ContainerConfigContext): Record<string, unknown> {
  const spec = assignment.spec.ContainerSpec;
  const log = assignment.spec.LogDriver ?? assignment.logDriver;
  return {
    // A task is never restarted in place, it is replaced.
    RestartPolicy: { Name: 'no' },
    NetworkMode: 'default',
    ...given({
      Init: spec.Init ?? undefined,
      ReadonlyRootfs: spec.ReadOnly,
      GroupAdd: spec.Groups,
      Sysctls: spec.Sysctls,
      CapAdd: spec.CapabilityAdd,
      CapDrop: spec.CapabilityDrop,
      Ulimits: spec.Ulimits,
      OomScoreAdj: spec.OomScoreAdj,
      SecurityOpt: securityOptions(spec.Privileges),
      Dns: spec.DNSConfig?.Nameservers,
      DnsSearch: spec.DNSConfig?.Search,
      DnsOptions: spec.DNSConfig?.Options,
      ExtraHosts: spec.Hosts?.flatMap(extraHosts),
      // Options without a driver are those of the Engine's default one.
      LogConfig: log === undefined ? context.defaultLog : { Type: log.Name ?? '', Config: log.Options ?? {} },
    }),
    ...mounts(assignment, context),
    ...resources(assignment.spec.Resources),
    ...hostOptionFields(assignment.hostOptions),
    PortBindings: portBindings(assignment.hostPorts, context),
  };
}

/** The Engine takes the last value of a variable, so what the task was given wins. */
function environment({ spec, genericResources = [] }: Assignment): readonly string[] | undefined {
  const own = spec.ContainerSpec.Env;
  return genericResources.length === 0 ? own : [...(own ?? []), ...genericEnvironment(genericResources)];
}

function mounts(assignment: Assignment, { fileSource }: ContainerConfigContext): HostMounts {
  const files = taskFileMounts(assignment).map(({ name, target }): Mount => ({
    Type: 'bind',
    Source: fileSource(name),
    Target: target,
    ReadOnly: true,
  }));
  return hostMounts([...(assignment.spec.ContainerSpec.Mounts ?? []), ...files]);
}

/** A Command replaces the image's entrypoint; Args alone are the arguments of the image's own. */
function command(spec: ContainerSpec): Record<string, unknown> {
  const entrypoint = spec.Command ?? [];
  const args = spec.Args ?? [];
  return {
    ...(entrypoint.length > 0 ? { Entrypoint: entrypoint } : {}),
    ...(args.length > 0 ? { Cmd: args } : {}),
  };
}

/** Reserved CPUs are the scheduler's business alone; the Engine enforces limits and the reserved memory. */
function resources(requirements: ResourceRequirements | undefined): Record<string, unknown> {
  const limits = requirements?.Limits;
  const memory = positive(limits?.MemoryBytes);
  const swap = requirements?.SwapBytes;
  return given({
    NanoCpus: positive(limits?.NanoCPUs),
    Memory: memory,
    // The Engine counts memory and swap together; -1 means unlimited swap.
    MemorySwap: memory === undefined || swap === undefined ? undefined : swap < 0 ? -1 : memory + swap,
    MemorySwappiness: requirements?.MemorySwappiness,
    MemoryReservation: positive(requirements?.Reservations?.MemoryBytes),
    PidsLimit: positive(limits?.Pids),
  });
}

/** `IP host alias` becomes `host:IP` and `alias:IP`. */
function extraHosts(line: string): string[] {
  const [address, ...names] = line.split(/\s+/).filter((word) => word !== '');
  return names.map((name) => `${name}:${address ?? ''}`);
}

interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort: string;
}

function portBindings(
  ports: readonly HostPort[],
  { hostAddresses }: ContainerConfigContext,
): Record<string, PortBinding[]> {
  const bindings: Record<string, PortBinding[]> = {};
  for (const port of ports) {
    // Port 0 lets the Engine choose; which one it took is in the task's PortStatus.
    const chosen = port.PublishedPort ?? 0;
    const binding: PortBinding = { HostPort: chosen === 0 ? '' : String(chosen) };
    const addresses = port.HostIp === undefined ? undefined : hostIps(port.HostIp, chosen, hostAddresses());
    const all = addresses === undefined ? [binding] : addresses.map((HostIp) => ({ HostIp, ...binding }));
    (bindings[portKey(port)] ??= []).push(...all);
  }
  return bindings;
}

function hostIps(wanted: string, publishedPort: number, present: readonly string[]): readonly string[] {
  const addresses = publishAddresses(wanted, present);
  if (addresses.length > 0) return addresses;
  throw new BaleError(`port ${publishedPort} is ${whyNowhere(wanted)}; place the service on nodes that have one`, {
    kind: 'failed-precondition',
    code: 'BALE_NO_PUBLISH_ADDRESS',
  });
}

const portKey = (port: PortConfig): string => `${port.TargetPort ?? 0}/${port.Protocol ?? 'tcp'}`;

const positive = (value: number | undefined): number | undefined =>
  value === undefined || value <= 0 ? undefined : value;

/** The fields that have a value. */
const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));
