import type { ObjectMeta } from './object-meta.js';
import type { PortConfig } from './service-spec.js';
import type { GenericResource, TaskSpec } from './task-spec.js';
import type { DesiredState, TaskState } from './task-state.js';

export interface TaskStatus {
  /** RFC 3339. */
  Timestamp: string;
  State: TaskState;
  /** What is happening, e.g. `started`, `pulling image`. */
  Message: string;
  /** Why the task failed, or why it waits. */
  Err?: string;
  /** bale's own: the container runs, and its health check says that it should not be used. Absent otherwise. */
  health?: 'unhealthy';
  ContainerStatus?: ContainerStatus;
  /** Host-mode ports as the Engine bound them. */
  PortStatus?: { Ports?: PortConfig[] };
}

export interface ContainerStatus {
  ContainerID: string;
  PID: number;
  ExitCode: number;
}

/** An element of `GET /tasks`. */
export interface TaskDocument extends ObjectMeta {
  Labels: Record<string, string>;
  Spec: TaskSpec;
  ServiceID: string;
  /** Absent for global services. */
  Slot?: number;
  NodeID?: string;
  Status: TaskStatus;
  DesiredState: DesiredState;
  /** Of a job: the run that it is a part of. */
  JobIteration?: { Index: number };
  /** What it holds of its node's generic resources. */
  GenericResources?: GenericResource[];
  /** bale's own: it shall stop, and what it waits for until it is told to. */
  drain?: TaskDrainDocument;
  /** bale's own: a rebalance moves it elsewhere; gone when the move is called off. */
  move?: { since: string; reason: string };
  /** bale's own: what its user should know although it goes on. `Status.Err` has it too while there is no error. */
  warning?: string;
}

export interface TaskDrainDocument {
  /** RFC 3339. */
  since: string;
  /** E.g. `draining on h2, 4 requests in flight, 12 s left`. */
  reason: string;
}
