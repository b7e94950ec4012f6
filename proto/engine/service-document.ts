import type { PortError } from './node-document.js';
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

/** An element of `GET /services`. */
export interface ServiceDocument extends ObjectMeta {
  Spec: ServiceSpec;
  PreviousSpec?: ServiceSpec;
  Endpoint: { Spec: EndpointSpec; Ports?: PortConfig[] };
  UpdateStatus?: UpdateStatus;
  /** Only with `?status=true`. */
  ServiceStatus?: ServiceStatus;
  /** bale's own: nodes on which a published port of this service could not be bound. */
  portErrors?: PortError[];
}

export interface ServiceStatus {
  RunningTasks: number;
  DesiredTasks: number;
  CompletedTasks: number;
}
