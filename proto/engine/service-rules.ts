import { checkBaleLabels } from './bale-labels.js';
import { checkContainer, LONGEST_DURATION } from './container-rules.js';
import { FieldRefused } from './decode.js';
import { formatGo } from './go-number.js';
import { isJob } from './service-mode.js';
import type { EndpointSpec, ServiceSpec, UpdateConfig } from './service-spec.js';
import { parseSpread } from './node-attribute.js';
import { parseConstraint } from './placement-constraint.js';
import { specError } from './spec-error.js';
import type { GenericResource, Placement, ResourceRequirements, RestartPolicy, TaskSpec } from './task-spec.js';

const SMALLEST_CPU = 1e6;
const SMALLEST_MEMORY = 4 * 1024 * 1024;
const LARGEST_PORT = 65_535;
const LONGEST_NAME = 63;

/** A wish beyond this is a slip of the hand, and one object for each replica would exhaust the manager. */
const MOST_REPLICAS = 100_000;

/**
 * The rules of SwarmKit's control API for a whole ServiceSpec, in its words and order. An empty name
 * is fine here: the manager makes one up. Throws BALE_SPEC_INVALID (400).
 */
export function checkService(spec: ServiceSpec): void {
  if (spec.Name !== '') checkName(spec.Name);
  checkTask(spec.TaskTemplate, spec.Labels);
  checkMode(spec);
  if (isJob(spec.Mode)) {
    if (spec.UpdateConfig !== undefined) throw specError('Jobs may not have an update config');
    if (spec.RollbackConfig !== undefined) throw specError('Jobs may not have a rollback config');
  }
  checkUpdate(spec.UpdateConfig ?? {});
  checkUpdate(spec.RollbackConfig ?? {});
  checkEndpoint(spec.EndpointSpec ?? {});
  if (isJob(spec.Mode) && (spec.EndpointSpec?.Ports ?? []).length > 0) {
    throw new FieldRefused('EndpointSpec.Ports', 'jobs publish no ports');
  }
  checkBaleLabels(spec);
}

function checkMode({ Mode }: ServiceSpec): void {
  checkCount('Number of replicas', 'must be non-negative', Mode.Replicated?.Replicas);
  checkCount('Maximum concurrent jobs', 'must not be negative', Mode.ReplicatedJob?.MaxConcurrent);
  checkCount('Total completed jobs', 'must not be negative', Mode.ReplicatedJob?.TotalCompletions);
}

/** `negative`: what SwarmKit, which counts with a signed number, says of one that does not fit. */
function checkCount(what: string, negative: string, count = 0): void {
  if (count >= 2 ** 63) throw specError(`${what} ${negative}`);
  if (count > MOST_REPLICAS) throw specError(`${what} must be at most ${MOST_REPLICAS}, got ${count}`);
}

function checkName(name: string): void {
  if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?$/.test(name)) {
    throw specError('name must be valid as a DNS name component');
  }
  if (name.length > LONGEST_NAME) throw specError(`name must be ${LONGEST_NAME} characters or fewer`);
}

function checkTask(task: TaskSpec, labels: ServiceSpec['Labels']): void {
  for (const resources of [task.Resources?.Limits, task.Resources?.Reservations]) {
    checkAmounts(resources?.NanoCPUs ?? 0, resources?.MemoryBytes ?? 0);
  }
  checkMemoryOrder(task.Resources ?? {});
  checkSwap(task.Resources ?? {});
  (task.Resources?.Reservations?.GenericResources ?? []).forEach(checkGeneric);
  checkRestart(task.RestartPolicy ?? {});
  checkPlacement(task.Placement ?? {});
  checkContainer(task.ContainerSpec, labels);
}

function checkAmounts(nanoCpus: number, memory: number): void {
  if (nanoCpus !== 0 && nanoCpus < SMALLEST_CPU) {
    throw specError(`invalid cpu value ${formatGo(nanoCpus / 1e9)}: Must be at least ${SMALLEST_CPU / 1e9}`);
  }
  if (memory !== 0 && memory < SMALLEST_MEMORY) {
    throw specError(`invalid memory value ${memory}: Must be at least 4MiB`);
  }
}

/** The Engine would refuse each container of it. */
function checkMemoryOrder({ Limits, Reservations }: ResourceRequirements): void {
  const limit = Limits?.MemoryBytes ?? 0;
  const reserved = Reservations?.MemoryBytes ?? 0;
  if (limit > 0 && reserved > limit) {
    throw specError(`memory reservation ${reserved} cannot be more than the memory limit ${limit}`);
  }
}

function checkSwap({ Limits, SwapBytes, MemorySwappiness = -1 }: ResourceRequirements): void {
  if (SwapBytes !== undefined && (Limits?.MemoryBytes ?? 0) === 0) {
    throw specError('memory swap provided, but no memory-limit was set');
  }
  if (SwapBytes !== undefined && SwapBytes < -1) {
    throw specError(`invalid memory swap ${SwapBytes}: Must be at least 0, or -1 for any amount`);
  }
  if (MemorySwappiness < -1 || MemorySwappiness > 100) {
    throw specError(`Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
  }
}

function checkGeneric(resource: GenericResource, index: number): void {
  const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } = resource;
  const where = `Reservations: GenericResources[${index}]`;
  const given = named ?? discrete;
  if (given === undefined || (named !== undefined && discrete !== undefined)) {
    throw specError(`${where} must have either a NamedResourceSpec or a DiscreteResourceSpec`);
  }
  if (!/^[^\s=,]+$/.test(given.Kind)) throw specError(`${where}: invalid kind ${JSON.stringify(given.Kind)}`);
  if (named !== undefined && !/^[^\s=,]+$/.test(named.Value)) {
    throw specError(`${where}: invalid argument for resource ${named.Kind}`);
  }
  if (discrete !== undefined && (discrete.Value < 1 || !Number.isSafeInteger(discrete.Value))) {
    throw specError(`${where}: invalid argument for resource ${discrete.Kind}: must be at least 1`);
  }
}

function checkRestart({ Delay = 0, Window = 0 }: RestartPolicy): void {
  if (Delay < 0) throw specError('TaskSpec: restart-delay cannot be negative');
  if (Delay > LONGEST_DURATION) throw specError('TaskSpec: restart-delay cannot be longer than 24 days');
  if (Window < 0) throw specError('TaskSpec: restart-window cannot be negative');
}

/** A constraint or spread that can be read is well formed. */
function checkPlacement({ Constraints = [], Preferences = [] }: Placement): void {
  for (const text of Constraints) parseConstraint(text);
  for (const { Spread } of Preferences) parseSpread(Spread.SpreadDescriptor);
}

function checkUpdate({ Delay = 0, Monitor = 0, MaxFailureRatio = 0 }: Partial<UpdateConfig>): void {
  if (Delay < 0) throw specError('TaskSpec: update-delay cannot be negative');
  if (Delay > LONGEST_DURATION) throw specError('TaskSpec: update-delay cannot be longer than 24 days');
  if (Monitor < 0) throw specError('TaskSpec: update-monitor cannot be negative');
  if (Monitor > LONGEST_DURATION) throw specError('TaskSpec: update-monitor cannot be longer than 24 days');
  if (MaxFailureRatio < 0 || MaxFailureRatio > 1) {
    throw specError('TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1');
  }
}

function checkEndpoint({ Ports = [] }: EndpointSpec): void {
  const published = new Set<string>();
  for (const [index, port] of Ports.entries()) {
    const { TargetPort = 0, PublishedPort = 0, Protocol = 'tcp' } = port;
    if (TargetPort < 1 || TargetPort > LARGEST_PORT) {
      throw specError(
        `EndpointSpec: Ports[${index}].TargetPort must be between 1 and ${LARGEST_PORT}, got ${TargetPort}`,
      );
    }
    if (PublishedPort > LARGEST_PORT) {
      throw specError(
        `EndpointSpec: Ports[${index}].PublishedPort must be at most ${LARGEST_PORT}, got ${PublishedPort}`,
      );
    }
    if (PublishedPort === 0) continue;
    const key = `${PublishedPort}/${Protocol}`;
    if (published.has(key)) throw specError('EndpointSpec: duplicate published ports provided');
    published.add(key);
  }
}
