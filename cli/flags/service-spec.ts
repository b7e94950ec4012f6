import { BaleError } from '../../core/errors.js';
import { parseDuration } from '../../proto/engine/duration.js';
import type { ContainerSpec, HealthConfig } from '../../proto/engine/container-spec.js';
import { isJob } from '../../proto/engine/service-mode.js';
import type { ServiceSpec } from '../../proto/engine/service-spec.js';
import { parseGenericResources } from '../../proto/engine/generic-resource.js';
import type { Placement, ResourceRequirements, RestartPolicy, TaskSpec } from '../../proto/engine/task-spec.js';
import { parseEnvironment, parseLabels } from './labels.js';
import { parseMount } from './mount.js';
import { serviceMode } from './service-mode.js';
import { parsePlacementPref } from './placement-pref.js';
import { parsePublish } from './publish.js';
import { parseBytes, parseCount, parseCpus, parseSwap } from './quantity.js';
import { splitWords } from './shell-words.js';
import type { TaskFlags } from './task-flags.js';
import { usageError } from './usage-error.js';
import { patchRollbackConfig, patchUpdateConfig, type RolloutFlags } from '../update/rollout-config.js';

type List = readonly string[];

/** The flags of `service create`, as given. */
export interface CreateFlags extends RolloutFlags, TaskFlags {
  readonly name?: string;
  readonly replicas?: string;
  readonly mode?: string;
  readonly maxConcurrent?: string;
  readonly publish?: List;
  readonly env?: List;
  readonly envFile?: List;
  readonly label?: List;
  readonly containerLabel?: List;
  readonly mount?: List;
  readonly entrypoint?: string;
  readonly genericResource?: List;
  readonly constraint?: List;
  readonly placementPref?: List;
  readonly group?: List;
  readonly host?: List;
  readonly dns?: List;
  readonly dnsOption?: List;
  readonly dnsSearch?: List;
  readonly sysctl?: List;
  readonly ulimit?: List;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The document that docker's CLI would send for these flags; what is not given is left out, so that defaults stay the daemon's. */
export async function serviceSpec(
  image: string,
  command: readonly string[],
  flags: CreateFlags,
  environment: Environment,
): Promise<ServiceSpec> {
  const ports = (flags.publish ?? []).flatMap(parsePublish);
  const mode = serviceMode(flags);
  const UpdateConfig = patchUpdateConfig(undefined, flags);
  const RollbackConfig = patchRollbackConfig(undefined, flags);
  if (isJob(mode) && (UpdateConfig ?? RollbackConfig) !== undefined) {
    throw new BaleError('update and rollback configuration is not supported for jobs', {
      kind: 'invalid',
      code: 'BALE_FLAG_INVALID',
    });
  }
  return {
    Name: flags.name ?? '',
    Labels: parseLabels(flags.label ?? []),
    TaskTemplate: await taskSpec(image, command, flags, environment),
    Mode: mode,
    ...(UpdateConfig === undefined ? {} : { UpdateConfig }),
    ...(RollbackConfig === undefined ? {} : { RollbackConfig }),
    EndpointSpec: { Mode: 'vip', ...(ports.length === 0 ? {} : { Ports: ports }) },
  };
}

async function taskSpec(image: string, command: List, flags: CreateFlags, environment: Environment): Promise<TaskSpec> {
  const restart = restartPolicy(flags);
  const logOptions = parseLabels(flags.logOpt ?? []);
  if (flags.logDriver === undefined && flags.logOpt !== undefined) {
    throw usageError('--log-opt', flags.logOpt.join(' '), 'options need --log-driver');
  }
  return {
    ContainerSpec: await containerSpec(image, command, flags, environment),
    Resources: resources(flags),
    ...(restart === undefined ? {} : { RestartPolicy: restart }),
    Placement: placement(flags),
    ...(flags.logDriver === undefined ? {} : { LogDriver: { Name: flags.logDriver, Options: logOptions } }),
    ForceUpdate: 0,
  };
}

async function containerSpec(
  image: string,
  command: List,
  flags: CreateFlags,
  environment: Environment,
): Promise<ContainerSpec> {
  const env = await parseEnvironment(flags.env ?? [], flags.envFile ?? [], environment);
  const health = healthcheck(flags);
  const given = <T>(key: string, value: T | undefined): Record<string, T> =>
    value === undefined ? {} : { [key]: value };
  return {
    Image: image,
    ...given('Labels', flags.containerLabel === undefined ? undefined : parseLabels(flags.containerLabel)),
    ...given('Command', flags.entrypoint === undefined ? undefined : splitWords(flags.entrypoint, '--entrypoint')),
    ...(command.length === 0 ? {} : { Args: [...command] }),
    ...given('Hostname', flags.hostname),
    ...(env.length === 0 ? {} : { Env: env }),
    ...given('Dir', flags.workdir),
    ...given('User', flags.user),
    ...given('Groups', flags.group),
    ...given('StopSignal', flags.stopSignal),
    ...given('StopGracePeriod', duration(flags.stopGracePeriod, '--stop-grace-period')),
    ...given('TTY', flags.tty),
    ...given('ReadOnly', flags.readOnly),
    ...given('Mounts', flags.mount?.map(parseMount)),
    ...given('Healthcheck', health),
    ...given('Hosts', flags.host?.map(hostLine)),
    DNSConfig: {
      ...given('Nameservers', flags.dns === undefined ? undefined : [...flags.dns]),
      ...given('Search', flags.dnsSearch === undefined ? undefined : [...flags.dnsSearch]),
      ...given('Options', flags.dnsOption === undefined ? undefined : [...flags.dnsOption]),
    },
    Init: flags.init ?? false,
    ...given('Isolation', flags.isolation),
    ...given('Sysctls', flags.sysctl === undefined ? undefined : parseLabels(flags.sysctl)),
    ...given('CapabilityAdd', flags.capAdd),
    ...given('CapabilityDrop', flags.capDrop),
    ...given('Ulimits', flags.ulimit?.map(ulimit)),
    ...given('OomScoreAdj', flags.oomScoreAdj === undefined ? undefined : oomScore(flags.oomScoreAdj)),
  };
}

function resources(flags: CreateFlags): ResourceRequirements {
  const cpus = (flag: string, text: string | undefined) =>
    text === undefined ? {} : { NanoCPUs: parseCpus(flag, text) };
  const memory = (flag: string, text: string | undefined) =>
    text === undefined ? {} : { MemoryBytes: parseBytes(flag, text) };
  const pids = flags.limitPids === undefined ? {} : { Pids: parseCount('--limit-pids', flags.limitPids) };
  return {
    Limits: { ...cpus('--limit-cpu', flags.limitCpu), ...memory('--limit-memory', flags.limitMemory), ...pids },
    Reservations: {
      ...cpus('--reserve-cpu', flags.reserveCpu),
      ...memory('--reserve-memory', flags.reserveMemory),
      ...(flags.genericResource === undefined
        ? {}
        : { GenericResources: parseGenericResources(flags.genericResource) }),
    },
    ...(flags.memorySwap === undefined ? {} : { SwapBytes: parseSwap('--memory-swap', flags.memorySwap) }),
    ...(flags.memorySwappiness === undefined ? {} : { MemorySwappiness: swappiness(flags.memorySwappiness) }),
  };
}

function placement(flags: CreateFlags): Placement {
  const { constraint, placementPref, replicasMaxPerNode: most } = flags;
  return {
    ...(constraint === undefined ? {} : { Constraints: [...constraint] }),
    ...(placementPref === undefined ? {} : { Preferences: placementPref.map(parsePlacementPref) }),
    ...(most === undefined ? {} : { MaxReplicas: parseCount('--replicas-max-per-node', most) }),
  };
}

function restartPolicy(flags: CreateFlags): RestartPolicy | undefined {
  const condition = flags.restartCondition;
  if (condition !== undefined && condition !== 'none' && condition !== 'on-failure' && condition !== 'any') {
    throw usageError('--restart-condition', condition, 'the conditions are none, on-failure, any');
  }
  const delay = duration(flags.restartDelay, '--restart-delay');
  const window = duration(flags.restartWindow, '--restart-window');
  const policy: RestartPolicy = {
    ...(condition === undefined ? {} : { Condition: condition }),
    ...(delay === undefined ? {} : { Delay: delay }),
    ...(flags.restartMaxAttempts === undefined
      ? {}
      : { MaxAttempts: parseCount('--restart-max-attempts', flags.restartMaxAttempts) }),
    ...(window === undefined ? {} : { Window: window }),
  };
  return Object.keys(policy).length === 0 ? undefined : policy;
}

function healthcheck(flags: CreateFlags): HealthConfig | undefined {
  const interval = duration(flags.healthInterval, '--health-interval');
  const timeout = duration(flags.healthTimeout, '--health-timeout');
  const startPeriod = duration(flags.healthStartPeriod, '--health-start-period');
  const startInterval = duration(flags.healthStartInterval, '--health-start-interval');
  const health: HealthConfig = {
    ...(flags.healthCmd === undefined ? {} : { Test: ['CMD-SHELL', flags.healthCmd] }),
    ...(interval === undefined ? {} : { Interval: interval }),
    ...(timeout === undefined ? {} : { Timeout: timeout }),
    ...(flags.healthRetries === undefined ? {} : { Retries: parseCount('--health-retries', flags.healthRetries) }),
    ...(startPeriod === undefined ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === undefined ? {} : { StartInterval: startInterval }),
  };
  const given = Object.keys(health).length > 0;
  if (flags.healthcheck !== false) return given ? health : undefined;
  if (given) {
    throw new BaleError('--no-healthcheck conflicts with --health-* options', {
      kind: 'invalid',
      code: 'BALE_FLAG_INVALID',
    });
  }
  return { Test: ['NONE'] };
}

const duration = (text: string | undefined, flag: string): number | undefined =>
  text === undefined ? undefined : parseDuration(text, flag);

/** `name:ip` on the command line is `ip name` in the API. */
export function hostLine(text: string): string {
  const at = text.indexOf(':');
  if (at <= 0 || at === text.length - 1) throw usageError('--host', text, 'write it as name:address');
  return `${text.slice(at + 1)} ${text.slice(0, at)}`;
}

export const oomScore = (text: string): number => parseCount('--oom-score-adj', text, -1000, 1000);

/** -1 = the Engine's default. */
export const swappiness = (text: string): number => parseCount('--memory-swappiness', text, -1, 100);

export function ulimit(text: string): { Name: string; Soft: number; Hard: number } {
  const match = /^(?<name>[a-z]+)=(?<soft>-?\d+)(?::(?<hard>-?\d+))?$/.exec(text);
  const { name, soft, hard } = match?.groups ?? {};
  if (name === undefined || soft === undefined) throw usageError('--ulimit', text, 'write it as nofile=1024:2048');
  return { Name: name, Soft: Number(soft), Hard: Number(hard ?? soft) };
}
