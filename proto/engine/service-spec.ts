import type { NetworkAttachmentConfig, TaskSpec } from './task-spec.js';

/** Documents of the Docker Engine API (v1.41 and later fields), in its JSON shape. Durations are ns, memory is bytes. */
export interface ServiceSpec {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: TaskSpec;
  Mode: ServiceMode;
  UpdateConfig?: UpdateConfig;
  RollbackConfig?: UpdateConfig;
  EndpointSpec?: EndpointSpec;
  /** Deprecated by the Engine in favour of `TaskTemplate.Networks`. */
  Networks?: NetworkAttachmentConfig[];
}

/** Exactly one key is set. */
export interface ServiceMode {
  Replicated?: { Replicas?: number };
  Global?: Record<string, never>;
  ReplicatedJob?: { MaxConcurrent?: number; TotalCompletions?: number };
  GlobalJob?: Record<string, never>;
}

export interface UpdateConfig {
  Parallelism: number;
  Delay?: number;
  FailureAction?: 'pause' | 'continue' | 'rollback';
  Monitor?: number;
  MaxFailureRatio?: number;
  Order?: 'start-first' | 'stop-first';
}

export interface EndpointSpec {
  Mode?: 'vip' | 'dnsrr';
  Ports?: PortConfig[];
}

export type PortProtocol = 'tcp' | 'udp' | 'sctp';
export type PublishMode = 'ingress' | 'host';

export interface PortConfig {
  Name?: string;
  Protocol?: PortProtocol;
  TargetPort?: number;
  /** Absent or 0 in a spec: chosen from 30000-32767 for ingress. Always set in `Endpoint.Ports`. */
  PublishedPort?: number;
  PublishMode?: PublishMode;
}
