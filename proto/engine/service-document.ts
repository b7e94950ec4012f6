import type { PortError } from './node-document.js';
import type { Concurrency } from './schedule-labels.js';
import type { ObjectMeta } from './object-meta.js';
import type { EndpointSpec, PortConfig, ServiceSpec } from './service-spec.js';

export type UpdateState =
  'updating' | 'paused' | 'completed' | 'rollback_started' | 'rollback_paused' | 'rollback_completed';

export interface UpdateStatus {
  State: UpdateState;
  StartedAt?: string;
  CompletedAt?: string;
  Message?: string;
}

export interface JobStatus {
  /** Which run of the job this is; the first is 0. */
  JobIteration: { Index: number };
  /** When it began, RFC 3339. */
  LastExecution: string;
}

/** An element of `GET /services`. */
export interface ServiceDocument extends ObjectMeta {
  Spec: ServiceSpec;
  PreviousSpec?: ServiceSpec;
  Endpoint: { Spec: EndpointSpec; Ports?: PortConfig[] };
  UpdateStatus?: UpdateStatus;
  /** Of jobs only. */
  JobStatus?: JobStatus;
  /** bale's own, of scheduled jobs: when the next run is due, RFC 3339. */
  nextRun?: string;
  /** Only with `?status=true`. */
  ServiceStatus?: ServiceStatus;
  /** bale's own: nodes on which a published port of this service could not be bound. */
  portErrors?: PortError[];
  /** bale's own, of one service only: what its slots wait for, e.g. `web.3: draining on h2, 4 requests in flight, 12 s left`. */
  waiting?: string[];
  /** bale's own, of one service only: what the tasks that it has now are warned of. */
  warnings?: string[];
}

/** bale's own: an element of `GET /bale/services/{id}/history`. */
export interface PastSpecDocument {
  Version: { Index: number };
  /** When it was written, RFC 3339. */
  UpdatedAt: string;
  Spec: ServiceSpec;
}

/** bale's own: the answer of `GET /bale/services/{id}/schedule`. Times are RFC 3339. */
export interface ScheduleDocument {
  pattern: string;
  timezone: string;
  concurrency: Concurrency;
  nextRun?: string;
  /** The newest first. */
  runs: ScheduledRunDocument[];
}

export interface ScheduledRunDocument {
  /** When it was due, or asked for. */
  due: string;
  cause: 'schedule' | 'request';
  result: 'running' | 'succeeded' | 'failed' | 'replaced' | 'skipped';
  /** What `result` rests on; absent while it runs. */
  reason?: string;
  /** Of what was not skipped: the job iteration. */
  iteration?: number;
  startedAt?: string;
  finishedAt?: string;
  /** Of what was skipped: how many due times in a row, and the last of them. */
  skipped?: { times: number; last: string };
}

/** bale's own: the answer of `POST /bale/services/{id}/run`. */
export interface RunDocument {
  JobIteration: { Index: number };
}

/** bale's own: the answer of `POST /bale/services/{id}/rebalance`. No moves: it is balanced. */
export interface RebalanceDocument {
  moves: {
    taskId: string;
    slot: number;
    from: { nodeId: string; hostname: string };
    /** Where the scheduler would put it now; it chooses when the move begins. */
    to: { nodeId: string; hostname: string };
    reason: string;
  }[];
}

export interface ServiceStatus {
  RunningTasks: number;
  DesiredTasks: number;
  CompletedTasks: number;
}
