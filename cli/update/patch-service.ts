import { BaleError } from '../../core/errors.js';
import type { EndpointSpec, ServiceSpec } from '../../proto/engine/service-spec.js';
import type { TaskSpec } from '../../proto/engine/task-spec.js';
import { parseLabels } from '../flags/labels.js';
import { parseCount } from '../flags/quantity.js';
import { usageError } from '../flags/usage-error.js';
import { patchContainer, type Environment } from './container.js';
import { patchMap } from './keyed.js';
import { patchPlacement } from './placement.js';
import { patchPorts } from './ports.js';
import { patchResources } from './resources.js';
import { patchRestartPolicy } from './restart-policy.js';
import { patchRollbackConfig, patchUpdateConfig } from './rollout-config.js';
import { setField } from './set-field.js';
import type { UpdateFlags } from './update-flags.js';

/**
 * The spec that `service update` sends: the present one with the flags applied, each as docker's CLI
 * applies it. Pure; `own` is this process's environment, for `--env-add NAME`.
 */
export function patchService(present: ServiceSpec, flags: UpdateFlags, own: Environment): ServiceSpec {
  const spec = structuredClone(present);
  if (flags.labelAdd !== undefined || flags.labelRm !== undefined) {
    spec.Labels = patchMap(spec.Labels, parseLabels(flags.labelAdd ?? []), flags.labelRm);
  }
  if (flags.replicas !== undefined) setReplicas(spec, flags.replicas);
  if (flags.maxConcurrent !== undefined) setMaxConcurrent(spec, flags.maxConcurrent);
  patchTask(spec.TaskTemplate, flags, own);
  setField(spec, 'UpdateConfig', patchUpdateConfig(spec.UpdateConfig, flags));
  setField(spec, 'RollbackConfig', patchRollbackConfig(spec.RollbackConfig, flags));
  if (flags.publishAdd !== undefined || flags.publishRm !== undefined) {
    const endpoint: EndpointSpec = { ...spec.EndpointSpec };
    setField(endpoint, 'Ports', patchPorts(endpoint.Ports, flags.publishAdd, flags.publishRm));
    spec.EndpointSpec = endpoint;
  }
  return spec;
}

function patchTask(task: TaskSpec, flags: UpdateFlags, own: Environment): void {
  patchContainer(task.ContainerSpec, flags, own);
  setField(task, 'Resources', patchResources(task.Resources, flags));
  const placement = patchPlacement(task.Placement, flags);
  if (placement !== task.Placement) setField(task, 'Placement', placement);
  setField(task, 'RestartPolicy', patchRestartPolicy(task.RestartPolicy, flags));
  if (flags.logDriver !== undefined && flags.logDriver !== '') {
    // Options belong to their driver: they are all replaced.
    task.LogDriver = { Name: flags.logDriver, Options: parseLabels(flags.logOpt ?? []) };
  } else if (flags.logOpt !== undefined) {
    throw usageError('--log-opt', flags.logOpt.join(' '), 'options need --log-driver');
  }
  if (flags.force === true) task.ForceUpdate = (task.ForceUpdate ?? 0) + 1;
}

function setReplicas(spec: ServiceSpec, replicas: string): void {
  const { Replicated, ReplicatedJob } = spec.Mode;
  const count = parseCount('--replicas', replicas);
  if (Replicated !== undefined) Replicated.Replicas = count;
  else if (ReplicatedJob !== undefined) ReplicatedJob.TotalCompletions = count;
  else throw wrongMode('replicas can only be used with replicated or replicated-job mode');
}

function setMaxConcurrent({ Mode: { ReplicatedJob } }: ServiceSpec, most: string): void {
  if (ReplicatedJob === undefined) throw wrongMode('max-concurrent can only be used with replicated-job mode');
  ReplicatedJob.MaxConcurrent = parseCount('--max-concurrent', most);
}

const wrongMode = (message: string): BaleError =>
  new BaleError(message, { kind: 'invalid', code: 'BALE_FLAG_INVALID' });
