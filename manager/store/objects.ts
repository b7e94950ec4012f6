import type { ClientRole } from '../../proto/client-certificate.js';
import type { AuditRecord } from '../audit/audit-record.js';
import type { HostOptions } from '../../proto/engine/host-options.js';
import type { NodeDescription, NodeSpec, NodeState } from '../../proto/engine/node-document.js';
import type { PayloadSpec } from '../../proto/engine/payload-document.js';
import type { UpdateStatus } from '../../proto/engine/service-document.js';
import type { HostPort } from '../../proto/engine/publish-address.js';
import type { PortConfig, ServiceSpec } from '../../proto/engine/service-spec.js';
import type { SwarmSpec } from '../../proto/engine/swarm-document.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { GenericResource, LogDriver, TaskSpec } from '../../proto/engine/task-spec.js';
import type { MeshReport } from '../../proto/session.js';
import type { DesiredState } from '../../proto/engine/task-state.js';

/**
 * The rows of the store. All are immutable: a change is a new object. Specs stand in the Engine
 * API's shape, bale's own fields in camelCase.
 */
export interface StoredObject {
  readonly id: string;
  /**
   * `Version.Index`: the store index at which `spec` was last written. It does not move with status,
   * so that a client's read-modify-write survives a rollout (moby#30794). Set by the store.
   */
  readonly version: number;
  /** ms since the epoch; `updatedAt` moves with `version`. Set by the store. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ClusterObject extends StoredObject {
  readonly spec: SwarmSpec;
  /** PEM. The key is in a file of its own, never in the store. */
  readonly rootCertificate: string;
  /** The secret parts of the join tokens. Never logged. */
  readonly joinSecrets: { readonly worker: string; readonly manager: string };
  /** Node ids whose certificates are refused, each until its certificate has expired (ms since the epoch). */
  readonly removedNodes: Readonly<Record<string, number>>;
  /** Absent until the first client certificate is asked for, or the first `--host tcp://` is opened. */
  readonly clientAccess?: ClientAccess;
}

/** Access to the API from other machines, by client certificates. */
export interface ClientAccess {
  /** PEM: the root of client certificates. It is none of the nodes'. */
  readonly rootCertificate: string;
  /** Its private key (PEM) as the manager's vault sealed it, base64. Clear text is never in a row. */
  readonly sealedKey: string;
  /** Those that may be let in, and those that are no longer, until they have long expired; the newest last. */
  readonly certificates: readonly ClientCertificate[];
}

export interface ClientCertificate {
  /** SHA-256 of the certificate, in hex. */
  readonly id: string;
  /** One certificate of a name is valid at a time. */
  readonly name: string;
  readonly role: ClientRole;
  /** ms since the epoch, as all times here. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt?: number;
}

export interface NodeObject extends StoredObject {
  readonly spec: NodeSpec;
  /** Absent until the node's first session. */
  readonly description?: NodeDescription;
  readonly status: { readonly state: NodeState; readonly message: string; readonly addr: string };
  /** host:port of its mesh; absent until its first session. */
  readonly meshAddr?: string;
  /** Set on managers: host:port of the cluster port. */
  readonly managerAddr?: string;
  /** SHA-256 (hex) of the public key that it joined with. A joiner that asks again with it is this node. */
  readonly joinKey?: string;
  /** When its newest certificate expires, ms since the epoch. */
  readonly certificateExpiry: number;
  /** As its mesh said last; which service publishes the port is looked up when it is shown. */
  readonly portErrors: MeshReport['bindErrors'];
  /** Only while its availability is `drain`. */
  readonly drain?: NodeDrain;
}

/** How a node is emptied. */
export interface NodeDrain {
  /** ms since the epoch. */
  readonly since: number;
  /** When what is left on the node is stopped, whatever is under way on it; ms since the epoch. */
  readonly deadline?: number;
  /** The most tasks on their way off the node at once, all services together; absent: one of each service. */
  readonly maxParallel?: number;
}

export interface ServiceObject extends StoredObject {
  readonly spec: ServiceSpec;
  readonly previousSpec?: ServiceSpec;
  /** Published ports as allotted: PublishedPort, Protocol and PublishMode always set. */
  readonly ports: readonly PortConfig[];
  readonly updateStatus?: UpdateStatus;
  /** The rollout under way, or the one that was paused; absent when the service is as its spec says. */
  readonly rollout?: Rollout;
  /** Earlier specs, the newest first; at most ten. */
  readonly history?: readonly PastSpec[];
  /** Credentials that its images are pulled with, one set per registry. */
  readonly registryAuth?: readonly RegistryAuth[];
  /** Of a job: the newest run of it. Without a schedule each change of its spec begins another. */
  readonly job?: JobRun;
  /** Of a job with the label `bale.schedule`, by which its runs begin. */
  readonly schedule?: ScheduleState;
  /** Its tasks get no node yet: it waits for services that it depends on. Absent: it was started. */
  readonly awaiting?: { readonly reason: string };
}

/** Registry credentials as a client sent them along with a spec. They never change: others have another id. */
export interface RegistryAuth {
  /** Begins with the id of the service. */
  readonly id: string;
  /** `host[:port]`; they are sent to no other. */
  readonly registry: string;
  /** An AuthConfig as the manager's vault sealed it, base64. Clear text is never in a row. */
  readonly sealed: string;
}

export interface JobRun {
  /** The first run is 0. */
  readonly iteration: number;
  /** ms since the epoch; absent: its schedule has not begun a run yet, and `iteration` is that of the first. */
  readonly startedAt?: number;
}

/** What a schedule has done so far. It is written in one transaction with the start of a run. */
export interface ScheduleState {
  /** Due times up to this one, ms since the epoch, were begun or skipped. No due time is handled twice. */
  readonly handledUntil: number;
  /** The newest first. Those that go on are never forgotten. */
  readonly runs: readonly ScheduledRun[];
}

export type ScheduledRun = StartedRun | SkippedRun;

export interface StartedRun {
  readonly kind: 'started';
  /** `request`: somebody asked for it, at the time `due`. */
  readonly cause: 'schedule' | 'request';
  /** ms since the epoch, as all times here. */
  readonly due: number;
  readonly iteration: number;
  readonly startedAt: number;
  /** Absent while it goes on. */
  readonly end?: RunEnd;
}

export interface RunEnd {
  readonly at: number;
  readonly outcome: 'succeeded' | 'failed' | 'replaced';
  readonly reason: string;
}

/** Due times in a row that were skipped for one reason. */
export interface SkippedRun {
  readonly kind: 'skipped';
  /** The first of them. */
  readonly due: number;
  readonly last: number;
  readonly times: number;
  readonly reason: string;
}

/** One change of a service on its way through the slots. */
export interface Rollout {
  /** `version` of the spec that it began with: tells one rollout from the next. */
  readonly id: number;
  /** ms since the epoch. */
  readonly startedAt: number;
  /** Slots that were to be changed when it began: what the failure ratio is counted against. */
  readonly slots: number;
}

/** A spec that a service once had. */
export interface PastSpec {
  readonly version: number;
  /** When it was written, ms since the epoch. */
  readonly writtenAt: number;
  readonly spec: ServiceSpec;
}

export interface TaskObject extends StoredObject {
  readonly spec: TaskSpec;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly serviceLabels: Readonly<Record<string, string>>;
  /** With `pinnedTo`: a number that stands for that node, in this service, and is shown to nobody. */
  readonly slot: number;
  /** The one node that it is for: its service has one task for each node. */
  readonly pinnedTo?: string;
  /** Of a job: the run that it is a part of. Such a task is wished to be `complete`, not `running`. */
  readonly jobIteration?: number;
  /** `version` of the service when this task was made. */
  readonly serviceVersion: number;
  readonly hostPorts: readonly HostPort[];
  /** What the labels of its service asked for when it was made. */
  readonly hostOptions?: HostOptions;
  /** Set once by the scheduler, never changed. */
  readonly nodeId?: string;
  /** It has no node for another reason than room: `status.Err` says which. Gone with the wait. */
  readonly heldBack?: true;
  /** What it holds of the node's generic resources; set with `nodeId`. */
  readonly genericResources?: readonly GenericResource[];
  /** `RegistryAuth.id` of the credentials that it pulls with. */
  readonly registryAuth?: string;
  /** The swarm's default when it was made, where its spec names no log driver. */
  readonly logDriver?: LogDriver;
  readonly desiredState: DesiredState;
  /** Written by the manager until `assigned`, by the agent alone afterwards (or by the manager for a lost node: orphaned, failed). */
  readonly status: TaskStatus;
  /** With desired state `ready`: when to wish for `running`, ms since the epoch. */
  readonly startAfter?: number;
  /** Times of this slot's earlier failures that still count for the restart policy, ms, oldest first. */
  readonly restarts: readonly number[];
  /** It was made while its service had a port in ingress mode: connections may lead to it. */
  readonly ingress?: boolean;
  /** It shall stop, and is waited for: meshes first let go of it. Its desired state stays what it was until then. */
  readonly draining?: TaskDrain;
  /** Its health check failed while it ran. Its replacement is decided: its end is no further failure, and it is never taken back. */
  readonly unhealthy?: boolean;
  /** It was made by a planned change, to take over its slot. */
  readonly takeover?: Takeover;
  /** Somebody asked that its slot runs elsewhere. */
  readonly move?: { readonly since: number; readonly cause: string };
  /** When `status` says the node of this task was lost: why, for the user. */
  readonly lostReason?: string;
  /** Volumes of it were on another node, which could not take it; set with `nodeId`. */
  readonly volumesLeft?: VolumesLeft;
}

/** Data that a slot left behind. */
export interface VolumesLeft {
  /** The node that has it. */
  readonly nodeId: string;
  readonly volumes: readonly string[];
  /** For the user. */
  readonly warning: string;
}

export interface TaskDrain {
  /** ms since the epoch. */
  readonly since: number;
  /** When the task is stopped whatever is still under way on it, ms since the epoch. */
  readonly deadline: number;
  /** The desired state that it gets in the end. */
  readonly then: 'shutdown' | 'remove';
  /** Why it shall stop. */
  readonly cause: string;
}

export interface Takeover {
  /** The task that serves beside it until it is active. Absent: the old one was told to stop first. */
  readonly from?: string;
  /** `Rollout.id` of the rollout that made it; absent: it was moved. */
  readonly rollout?: number;
  /** Tasks of this slot that failed in the same rollout, itself included once it failed. */
  readonly failures: number;
  /** When it was active and the old one gone, ms since the epoch. */
  readonly settledAt?: number;
}

/** One version of a secret or config. Its data never changes: new data under its name is another row. */
export interface PayloadObject extends StoredObject {
  readonly spec: PayloadSpec;
  /** Counts the rows of its name, from 1. Of several the highest is meant by the name. */
  readonly dataVersion: number;
  /** When version 1 of its name was made, ms since the epoch; absent: this is it. */
  readonly firstCreatedAt?: number;
  /** The data as the manager's vault sealed it, base64. Clear text is never in a row. */
  readonly sealed: string;
}

/** One change of a request, written in the transaction that made it. It is never changed. */
export interface AuditObject extends StoredObject {
  readonly spec: AuditRecord;
}

/** Table name → row type. */
export interface Tables {
  readonly cluster: ClusterObject;
  readonly node: NodeObject;
  readonly service: ServiceObject;
  readonly task: TaskObject;
  readonly secret: PayloadObject;
  readonly config: PayloadObject;
  readonly audit: AuditObject;
}

export type TableName = keyof Tables;
export const TABLE_NAMES: readonly TableName[] = ['cluster', 'node', 'service', 'task', 'secret', 'config', 'audit'];
