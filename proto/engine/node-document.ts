import type { Platform, ResourceList } from './task-spec.js';
import type { ObjectMeta } from './object-meta.js';

export type NodeRole = 'worker' | 'manager';
export type NodeAvailability = 'active' | 'pause' | 'drain';
export type NodeState = 'unknown' | 'down' | 'ready' | 'disconnected';

export interface NodeSpec {
  Name?: string;
  Labels: Record<string, string>;
  Role: NodeRole;
  Availability: NodeAvailability;
}

/** What an agent knows of its machine and Engine. */
export interface NodeDescription {
  Hostname: string;
  Platform: Platform;
  Resources: ResourceList;
  Engine: { EngineVersion: string; Labels?: Record<string, string>; Plugins: { Type: string; Name: string }[] };
  TLSInfo?: TLSInfo;
}

export interface TLSInfo {
  /** PEM. */
  TrustRoot: string;
  /** DER of the issuer's subject, base64. */
  CertIssuerSubject: string;
  /** DER of the issuer's public key, base64. */
  CertIssuerPublicKey: string;
}

export interface NodeStatus {
  State: NodeState;
  Message?: string;
  Addr: string;
}

/** An element of `GET /nodes`. */
export interface NodeDocument extends ObjectMeta {
  Spec: NodeSpec;
  Description: NodeDescription;
  Status: NodeStatus;
  ManagerStatus?: { Leader?: boolean; Reachability: 'unknown' | 'unreachable' | 'reachable'; Addr: string };
  /** bale's own: published ports that this node could not bind. */
  portErrors?: PortError[];
  /** bale's own: while it is emptied. Times in RFC 3339. */
  drain?: {
    since: string;
    /** When what is left is stopped. */
    deadline?: string;
    maxParallel?: number;
    /** Tasks that have not ended. */
    tasksLeft: number;
  };
}

/** A published port that a node's mesh does not serve, with the cause. */
export interface PortError {
  nodeId: string;
  publishedPort: number;
  protocol: 'tcp' | 'udp';
  serviceId: string;
  /** E.g. `listen tcp 0.0.0.0:80: address already in use`. */
  error: string;
  /** The port is meant for addresses of other nodes, of which some serve it: no fault. */
  notice?: boolean;
}
