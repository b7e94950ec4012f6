import type { HostOptions } from './engine/host-options.js';
import type { HostPort } from './engine/publish-address.js';
import type { TaskStatus } from './engine/task-document.js';
import type { GenericResource, LogDriver, TaskSpec } from './engine/task-spec.js';
import type { DesiredState } from './engine/task-state.js';

/** What an agent must know of a task to run it. Spec in the Engine API's shape, bale's own fields in camelCase. */
export interface Assignment {
  readonly taskId: string;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly serviceLabels: Readonly<Record<string, string>>;
  /** 0: its service has one task for each node, or it is the first of a job. */
  readonly slot: number;
  readonly desiredState: DesiredState;
  /** It is replaced because its health check failed: told to shut down, it has failed. */
  readonly unhealthy?: boolean;
  readonly spec: TaskSpec;
  /**
   * What the manager last knew of it when this was sent. An agent that starts goes on from there, so that
   * a task has one run even when its container is gone.
   */
  readonly status: TaskStatus;
  /** Host-mode ports, which the Engine binds; ingress ports are the mesh's. */
  readonly hostPorts: readonly HostPort[];
  /** The swarm's default when the task was made, for one that names no log driver. */
  readonly logDriver?: LogDriver;
  /** What its container has of the machine beyond its spec. */
  readonly hostOptions?: HostOptions;
  /** What the task holds of the node's generic resources. */
  readonly genericResources?: readonly GenericResource[];
  /** Names the registry credentials of its service that it pulls with; a payload of its own. */
  readonly registryAuth?: string;
}

/** The set of tasks of one node: COMPLETE replaces all, INCREMENTAL applies to the set numbered `appliesTo`. */
export type AssignmentSet =
  | { readonly kind: 'complete'; readonly resultsIn: number; readonly set: readonly Assignment[] }
  | {
      readonly kind: 'incremental';
      readonly appliesTo: number;
      readonly resultsIn: number;
      readonly set: readonly Assignment[];
      readonly remove: readonly string[];
    };
