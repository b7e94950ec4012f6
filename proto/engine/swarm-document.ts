import type { TLSInfo } from './node-document.js';
import type { ObjectMeta } from './object-meta.js';
import type { LogDriver } from './task-spec.js';

export interface SwarmSpec {
  Name: string;
  Labels: Record<string, string>;
  Orchestration: { TaskHistoryRetentionLimit?: number };
  Raft: {
    SnapshotInterval?: number;
    KeepOldSnapshots?: number;
    LogEntriesForSlowFollowers?: number;
    ElectionTick?: number;
    HeartbeatTick?: number;
  };
  /** ns. 0, absent or 5 s (which clients echo back): bale's own period. */
  Dispatcher: { HeartbeatPeriod?: number };
  /** ns. */
  CAConfig: {
    NodeCertExpiry?: number;
    ExternalCAs?: Record<string, unknown>[];
    SigningCACert?: string;
    SigningCAKey?: string;
    ForceRotate?: number;
  };
  TaskDefaults: { LogDriver?: LogDriver };
  EncryptionConfig: { AutoLockManagers: boolean };
}

/** `GET /swarm`; without JoinTokens it is `Swarm.Cluster` of `GET /info`. */
export interface SwarmDocument extends ObjectMeta {
  Spec: SwarmSpec;
  TLSInfo: TLSInfo;
  RootRotationInProgress: boolean;
  DefaultAddrPool: string[] | null;
  SubnetSize: number;
  DataPathPort: number;
  JoinTokens?: { Worker: string; Manager: string };
}

/** `POST /swarm/init`. */
export interface SwarmInitRequest {
  ListenAddr: string;
  AdvertiseAddr: string;
  DataPathAddr: string;
  DataPathPort?: number;
  DefaultAddrPool?: string[];
  SubnetSize?: number;
  ForceNewCluster: boolean;
  Availability: '' | 'active' | 'pause' | 'drain';
  AutoLockManagers: boolean;
  Spec: Partial<SwarmSpec>;
}

/** `POST /swarm/join`. */
export interface SwarmJoinRequest {
  ListenAddr: string;
  AdvertiseAddr: string;
  DataPathAddr: string;
  RemoteAddrs: string[];
  JoinToken: string;
  Availability: '' | 'active' | 'pause' | 'drain';
}

export type LocalNodeState = 'inactive' | 'pending' | 'active' | 'error' | 'locked';

/** The `Swarm` section of `GET /info`. */
export interface SwarmInfo {
  NodeID: string;
  NodeAddr: string;
  LocalNodeState: LocalNodeState;
  ControlAvailable: boolean;
  Error: string;
  RemoteManagers: { NodeID: string; Addr: string }[] | null;
  Nodes?: number;
  Managers?: number;
  Cluster?: Omit<SwarmDocument, 'JoinTokens'>;
}
