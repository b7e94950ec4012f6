import { parseDuration } from '../../proto/engine/duration.js';
import type { Mount } from '../../proto/engine/container-spec.js';
import type { PortConfig, ServiceSpec } from '../../proto/engine/service-spec.js';
import type { ResourceRequirements, RestartPolicy, TaskSpec } from '../../proto/engine/task-spec.js';
import { parseEnvironment, parseLabels } from './labels.js';
import { parseMount } from './mount.js';
import { parsePublish } from './publish.js';
import { parseBytes, parseCount, parseCpus } from './quantity.js';
import { rolloutConfig } from './rollout-config.js';
import { splitWords } from './shell-words.js';
import { usageError } from './usage-error.js';

type List = readonly string[];

/** The flags of `service update`, as given. */
export interface UpdateFlags {
  readonly image?: string;
  readonly args?: string;
  readonly entrypoint?: string;
  readonly replicas?: string;
  readonly force?: boolean;
  readonly envAdd?: List;
  readonly envRm?: List;
  readonly labelAdd?: List;
  readonly labelRm?: List;
  readonly containerLabelAdd?: List;
  readonly containerLabelRm?: List;
  readonly publishAdd?: List;
  readonly publishRm?: List;
  readonly mountAdd?: List;
  readonly mountRm?: List;
  readonly workdir?: string;
  readonly user?: string;
  readonly hostname?: string;
  readonly stopSignal?: string;
  readonly stopGracePeriod?: string;
  readonly limitCpu?: string;
  readonly limitMemory?: string;
  readonly limitPids?: string;
  readonly reserveCpu?: string;
  readonly reserveMemory?: string;
  readonly restartCondition?: string;
  readonly restartDelay?: string;
  readonly restartMaxAttempts?: string;
  readonly restartWindow?: string;
  readonly updateParallelism?: string;
  readonly updateDelay?: string;
  readonly updateMonitor?: string;
  readonly updateFailureAction?: string;
  readonly updateMaxFailureRatio?: string;
  readonly updateOrder?: string;
  readonly rollbackParallelism?: string;
  readonly rollbackDelay?: string;
  readonly rollbackMonitor?: string;
  readonly rollbackFailureAction?: string;
  readonly rollbackMaxFailureRatio?: string;
  readonly rollbackOrder?: string;
}

/** The spec of a service with the flags of an update applied; what no flag names stays as it is. */
export async function updatedSpec(
  spec: ServiceSpec,
  flags: UpdateFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ServiceSpec> {
  const update = rolloutConfig('--update', updateFlags(flags), spec.UpdateConfig);
  const rollback = rolloutConfig('--rollback', rollbackFlags(flags), spec.RollbackConfig);
  return {
    ...spec,
    Labels: changedLabels(spec.Labels, flags.labelAdd, flags.labelRm),
    TaskTemplate: await taskTemplate(spec.TaskTemplate, flags, environment),
    ...(flags.replicas === undefined
      ? {}
      : { Mode: { Replicated: { Replicas: parseCount('--replicas', flags.replicas) } } }),
    ...(update === undefined ? {} : { UpdateConfig: update }),
    ...(rollback === undefined ? {} : { RollbackConfig: rollback }),
    EndpointSpec: { ...spec.EndpointSpec, Ports: ports(spec.EndpointSpec?.Ports ?? [], flags) },
  };
}

async function taskTemplate(
  task: TaskSpec,
  flags: UpdateFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TaskSpec> {
  const container = task.ContainerSpec;
  const added = await parseEnvironment(flags.envAdd ?? [], [], environment);
  const gone = new Set([...(flags.envRm ?? []), ...added.map(nameOf)]);
  const given = <T>(key: string, value: T | undefined): Record<string, T> =>
    value === undefined ? {} : { [key]: value };
  return {
    ...task,
    ContainerSpec: {
      ...container,
      ...given('Image', flags.image),
      ...given('Args', flags.args === undefined ? undefined : splitWords(flags.args, '--args')),
      ...given('Command', flags.entrypoint === undefined ? undefined : splitWords(flags.entrypoint, '--entrypoint')),
      ...given('Dir', flags.workdir),
      ...given('User', flags.user),
      ...given('Hostname', flags.hostname),
      ...given('StopSignal', flags.stopSignal),
      ...given('StopGracePeriod', duration(flags.stopGracePeriod, '--stop-grace-period')),
      Labels: changedLabels(container.Labels ?? {}, flags.containerLabelAdd, flags.containerLabelRm),
      Env: [...(container.Env ?? []).filter((line) => !gone.has(nameOf(line))), ...added],
      Mounts: mounts(container.Mounts ?? [], flags),
    },
    Resources: resources(task.Resources ?? {}, flags),
    ...given('RestartPolicy', restartPolicy(task.RestartPolicy, flags)),
    ForceUpdate: (task.ForceUpdate ?? 0) + (flags.force === true ? 1 : 0),
  };
}

const nameOf = (line: string): string => line.split('=', 1)[0] ?? '';

function changedLabels(
  labels: Readonly<Record<string, string>>,
  add: List = [],
  rm: List = [],
): Record<string, string> {
  const kept = Object.entries(labels).filter(([label]) => !rm.includes(label));
  return { ...Object.fromEntries(kept), ...parseLabels(add) };
}

/** `--publish-rm` names a target port, with its protocol when it is not tcp. */
function ports(present: readonly PortConfig[], { publishAdd = [], publishRm = [] }: UpdateFlags): PortConfig[] {
  const gone = publishRm.map((text) => {
    const [port = '', protocol = 'tcp'] = text.split('/', 2);
    return { target: parseCount('--publish-rm', port, 1), protocol };
  });
  const isGone = ({ TargetPort, Protocol = 'tcp' }: PortConfig): boolean =>
    gone.some(({ target, protocol }) => target === TargetPort && protocol === Protocol);
  return [...present.filter((port) => !isGone(port)), ...publishAdd.flatMap(parsePublish)];
}

/** `--mount-rm` names a target. One that is added replaces the one at its target. */
function mounts(present: readonly Mount[], { mountAdd = [], mountRm = [] }: UpdateFlags): Mount[] {
  const added = mountAdd.map(parseMount);
  const gone = new Set([...mountRm, ...added.map(({ Target }) => Target)]);
  return [...present.filter(({ Target }) => !gone.has(Target)), ...added];
}

function resources({ Limits, Reservations, ...rest }: ResourceRequirements, flags: UpdateFlags): ResourceRequirements {
  const cpus = (flag: string, text: string | undefined) =>
    text === undefined ? {} : { NanoCPUs: parseCpus(flag, text) };
  const memory = (flag: string, text: string | undefined) =>
    text === undefined ? {} : { MemoryBytes: parseBytes(flag, text) };
  const pids = flags.limitPids === undefined ? {} : { Pids: parseCount('--limit-pids', flags.limitPids) };
  return {
    ...rest,
    Limits: {
      ...Limits,
      ...cpus('--limit-cpu', flags.limitCpu),
      ...memory('--limit-memory', flags.limitMemory),
      ...pids,
    },
    Reservations: {
      ...Reservations,
      ...cpus('--reserve-cpu', flags.reserveCpu),
      ...memory('--reserve-memory', flags.reserveMemory),
    },
  };
}

function restartPolicy(present: RestartPolicy | undefined, flags: UpdateFlags): RestartPolicy | undefined {
  const { restartCondition: condition } = flags;
  if (condition !== undefined && condition !== 'none' && condition !== 'on-failure' && condition !== 'any') {
    throw usageError('--restart-condition', condition, 'the conditions are none, on-failure, any');
  }
  const delay = duration(flags.restartDelay, '--restart-delay');
  const window = duration(flags.restartWindow, '--restart-window');
  const attempts = flags.restartMaxAttempts;
  const changed: RestartPolicy = {
    ...(condition === undefined ? {} : { Condition: condition }),
    ...(delay === undefined ? {} : { Delay: delay }),
    ...(attempts === undefined ? {} : { MaxAttempts: parseCount('--restart-max-attempts', attempts) }),
    ...(window === undefined ? {} : { Window: window }),
  };
  return Object.keys(changed).length === 0 ? present : { ...present, ...changed };
}

const updateFlags = (flags: UpdateFlags) => ({
  parallelism: flags.updateParallelism,
  delay: flags.updateDelay,
  monitor: flags.updateMonitor,
  failureAction: flags.updateFailureAction,
  maxFailureRatio: flags.updateMaxFailureRatio,
  order: flags.updateOrder,
});

const rollbackFlags = (flags: UpdateFlags) => ({
  parallelism: flags.rollbackParallelism,
  delay: flags.rollbackDelay,
  monitor: flags.rollbackMonitor,
  failureAction: flags.rollbackFailureAction,
  maxFailureRatio: flags.rollbackMaxFailureRatio,
  order: flags.rollbackOrder,
});

const duration = (text: string | undefined, flag: string): number | undefined =>
  text === undefined ? undefined : parseDuration(text, flag);
