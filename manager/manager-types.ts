import type { Clock } from '../core/clock.js';
import type { IdentitySource } from '../core/identity.js';
import type { Logger } from '../core/logger.js';
import type { HostPower } from '../proto/engine/host-options.js';
import type { SwarmApi } from './api/swarm-api.js';
import type { Logs } from './logs/logs.js';
import type { ClientAuthority } from './ca/client-authority.js';
import type { ChangeRequest } from './audit/audit-record.js';
import type { EventFeed } from './events/cluster-event.js';
import type { NodeStreams } from './streams/node-streams.js';
import type { TaskContainers } from './containers/task-containers.js';

export interface ManagerOptions {
  /** Holds `ca.key` and the journal; 0700. */
  readonly stateDir: string;
  readonly identity: IdentitySource;
  /** host:port of the cluster port. */
  readonly listenAddr: string;
  /** host:port that peers are told. */
  readonly advertiseAddr: string;
  /** Power over nodes that services may give to their containers; none unless given. */
  readonly allow?: readonly HostPower[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Manager {
  readonly api: SwarmApi;
  /** The same for one request: what it changes is recorded as its own. */
  apiFor(request: ChangeRequest): SwarmApi;
  /** Connections to the Engines of the nodes. */
  readonly streams: NodeStreams;
  readonly events: EventFeed;
  readonly logs: Logs;
  readonly containers: Pick<TaskContainers, 'find'>;
  /** Who may use the API from other machines. */
  readonly clients: ClientAuthority;
  /** The same for one request: what it changes is recorded as its own. */
  clientsFor(request: ChangeRequest): Pick<ClientAuthority, 'create' | 'revoke'>;
  /** host:port that the cluster port is bound to. */
  readonly boundAddr: string;
  /** Calls `listener` after each change of the cluster's state. The returned function unsubscribes. */
  onCommit(listener: () => void): () => void;
  /** Resolves with the cause when the manager cannot go on (its journal failed): the daemon must end then. */
  readonly failed: Promise<Error>;
  /** Stops loops, sessions and the journal. No container is touched. */
  close(): Promise<void>;
}
