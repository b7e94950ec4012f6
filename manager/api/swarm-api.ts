import type { AuditDocument } from '../../proto/engine/audit-document.js';
import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { PayloadDocument, PayloadVersionDocument, RotationDocument } from '../../proto/engine/payload-document.js';
import type {
  PastSpecDocument,
  RebalanceDocument,
  RunDocument,
  ScheduleDocument,
  ServiceDocument,
} from '../../proto/engine/service-document.js';
import type { SwarmDocument, SwarmInfo } from '../../proto/engine/swarm-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { AuditQuery } from './audit-api.js';
import type { DrainRequest } from './drain-request.js';
import type { ImageOptions } from './image-options.js';

/** `filters` of a list verb, already decoded from either of its two JSON forms: name → values. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/**
 * What a manager answers to clients of the Engine API: documents in, documents out, free of HTTP.
 * `body` is parsed JSON, not yet validated. Failures are BaleErrors with the Engine's words.
 */
export interface SwarmApi {
  /** The `Swarm` section of `/info` as far as the cluster knows it. */
  info(): Pick<SwarmInfo, 'Nodes' | 'Managers' | 'Cluster' | 'RemoteManagers'>;
  swarm(): SwarmDocument;
  updateSwarm(
    version: string | undefined,
    body: unknown,
    rotate: { readonly worker: boolean; readonly manager: boolean; readonly unlockKey: boolean },
  ): Promise<void>;

  nodes(filters: Filters): readonly NodeDocument[];
  node(id: string): NodeDocument;
  updateNode(id: string, version: string | undefined, body: unknown): Promise<void>;
  removeNode(id: string, force: boolean): Promise<void>;
  /** bale's own: empties a node within limits. `version` is compared when it is given. */
  drainNode(id: string, version: string | undefined, request: DrainRequest): Promise<void>;

  createService(
    body: unknown,
    images?: ImageOptions,
  ): Promise<{ readonly ID: string; readonly Warnings?: readonly string[] }>;
  services(filters: Filters, status: boolean): readonly ServiceDocument[];
  /** The same as JSON, in pieces. */
  serviceList(filters: Filters, status: boolean): Iterable<string>;
  service(id: string, insertDefaults: boolean): ServiceDocument;
  updateService(
    id: string,
    version: string | undefined,
    body: unknown,
    options: { readonly rollback: string | undefined } & ImageOptions,
  ): Promise<{ readonly Warnings: readonly string[] | null }>;
  /** bale's own: earlier specs of a service, the newest first, ten at most. */
  history(id: string): readonly PastSpecDocument[];
  /** bale's own: rolls back to the earlier spec of this version. */
  rollBackTo(id: string, version: string | undefined): Promise<{ readonly Warnings: readonly string[] | null }>;
  /** bale's own: moves the tasks of which a node has too many. */
  rebalance(id: string): Promise<RebalanceDocument>;
  /** bale's own: when a job runs, and its last runs. */
  schedule(id: string): ScheduleDocument;
  /** bale's own: begins a run of a job now. */
  runJob(id: string): Promise<RunDocument>;
  removeService(id: string): Promise<void>;

  readonly secrets: PayloadVerbs;
  readonly configs: PayloadVerbs;

  tasks(filters: Filters): readonly TaskDocument[];
  /** The same as JSON, in pieces: of tens of thousands the text costs more than all else. */
  taskList(filters: Filters): Iterable<string>;
  task(id: string): TaskDocument;

  /** bale's own: who changed what, the oldest first. */
  audit(query: AuditQuery): readonly AuditDocument[];
}

/** What a request may ask that says neither who sent it nor what it is: nothing of it is recorded. */
export type SwarmReads = Pick<
  SwarmApi,
  | 'info'
  | 'swarm'
  | 'nodes'
  | 'node'
  | 'services'
  | 'serviceList'
  | 'service'
  | 'history'
  | 'schedule'
  | 'tasks'
  | 'taskList'
  | 'task'
  | 'audit'
> &
  Readonly<Record<'secrets' | 'configs', Pick<PayloadVerbs, 'list' | 'inspect' | 'versions'>>>;

/** `/secrets` and `/configs`. Under a name its newest version is meant; an id names one version. */
export interface PayloadVerbs {
  list(filters: Filters): readonly PayloadDocument[];
  inspect(id: string): PayloadDocument;
  create(body: unknown): Promise<{ readonly ID: string }>;
  /** Labels only. */
  update(id: string, version: string | undefined, body: unknown): Promise<void>;
  /** The name with all its versions. */
  remove(id: string): Promise<void>;
  /** bale's own: the versions of a name, the newest first. */
  versions(id: string): readonly PayloadVersionDocument[];
  /** bale's own: new data under the same name, and a rolling update of the services that use it. `body`: `{ Data }`. */
  rotate(id: string, body: unknown): Promise<RotationDocument>;
}
