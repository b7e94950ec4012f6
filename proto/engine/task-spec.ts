import type { ContainerSpec } from './container-spec.js';

export interface TaskSpec {
  ContainerSpec: ContainerSpec;
  PluginSpec?: Record<string, unknown>;
  NetworkAttachmentSpec?: Record<string, unknown>;
  Resources?: ResourceRequirements;
  RestartPolicy?: RestartPolicy;
  Placement?: Placement;
  Networks?: NetworkAttachmentConfig[];
  LogDriver?: LogDriver;
  ForceUpdate?: number;
  Runtime?: string;
}

export interface ResourceRequirements {
  Limits?: { NanoCPUs?: number; MemoryBytes?: number; Pids?: number };
  Reservations?: ResourceList;
  /** Beside the memory limit; 0 = none, -1 = any amount. */
  SwapBytes?: number;
  /** 0 to 100; -1 = the Engine's default. */
  MemorySwappiness?: number;
}

export interface ResourceList {
  NanoCPUs?: number;
  MemoryBytes?: number;
  GenericResources?: GenericResource[];
}

export interface GenericResource {
  NamedResourceSpec?: { Kind: string; Value: string };
  DiscreteResourceSpec?: { Kind: string; Value: number };
}

export interface RestartPolicy {
  Condition?: 'none' | 'on-failure' | 'any';
  Delay?: number;
  MaxAttempts?: number;
  Window?: number;
}

export interface Placement {
  Constraints?: string[];
  Preferences?: { Spread: { SpreadDescriptor: string } }[];
  MaxReplicas?: number;
  Platforms?: Platform[];
}

export interface Platform {
  Architecture?: string;
  OS?: string;
}

export interface NetworkAttachmentConfig {
  Target?: string;
  Aliases?: string[];
  DriverOpts?: Record<string, string>;
}

export interface LogDriver {
  Name?: string;
  Options?: Record<string, string>;
}
