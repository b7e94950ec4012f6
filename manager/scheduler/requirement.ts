import type { PortConfig } from '../../proto/engine/service-spec.js';
import type { Platform, ResourceList } from '../../proto/engine/task-spec.js';
import type { TaskObject } from '../store/objects.js';

/** CPU in billionths of one, memory in bytes. */
export interface Resources {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
}

/** What a task asks of its node. */
export interface Requirement {
  readonly reserved: Resources;
  /** Host-mode ports as `80/tcp`. */
  readonly hostPorts: readonly string[];
  /** Any of these will do; empty = every platform. */
  readonly platforms: readonly Platform[];
}

export const requirementOf = (task: Pick<TaskObject, 'spec' | 'hostPorts'>): Requirement => ({
  reserved: resourcesOf(task.spec.Resources?.Reservations),
  hostPorts: task.hostPorts.flatMap(hostPortKey),
  platforms: task.spec.Placement?.Platforms ?? [],
});

export const resourcesOf = (list: ResourceList | undefined): Resources => ({
  nanoCpus: list?.NanoCPUs ?? 0,
  memoryBytes: list?.MemoryBytes ?? 0,
});

/** A host port without a number is chosen by the Engine, so it conflicts with nothing. */
const hostPortKey = ({ PublishedPort = 0, Protocol = 'tcp' }: PortConfig): readonly string[] =>
  PublishedPort === 0 ? [] : [`${PublishedPort}/${Protocol}`];
