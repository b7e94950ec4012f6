import type { Clock } from '../core/clock.js';
import type { IdentitySource } from '../core/identity.js';
import type { Logger } from '../core/logger.js';
import type { EndpointTable } from '../proto/endpoint-table.js';
import type { MeshReport } from '../proto/session.js';
import type { Executor } from './executor/executor.js';
import type { LocalEndpoint } from './mesh/messages.js';

export interface AgentOptions {
  readonly identity: IdentitySource;
  /** host:port of the managers known so far; tried in turn, replaced by those of each welcome. */
  readonly managers: readonly string[];
  readonly executor: Executor;
  readonly mesh: MeshLink;
  /** host:port that other nodes dial for tunnels. */
  readonly meshAddr: string;
  /** Path of the local Engine's socket: managers reach the containers of this node's tasks through it. Without it the node offers no streams. */
  readonly engineSocket?: string;
  /** Told to the managers; `unknown` unless given. */
  readonly baleVersion?: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The agent's hold on its node's mesh process (agent/mesh-link); tests may use another. */
export interface MeshLink {
  setTable(table: EndpointTable): void;
  setLocals(locals: readonly LocalEndpoint[]): void;
  onReport(listener: (report: MeshReport) => void): () => void;
}

export type SessionState =
  | { readonly kind: 'connecting'; readonly since: number; readonly error: string }
  | { readonly kind: 'connected'; readonly manager: string }
  /** The cluster refuses this node for good (removed, other cluster, other protocol version). */
  | { readonly kind: 'refused'; readonly error: Error };

export interface Agent {
  readonly session: SessionState;
  readonly managers: readonly string[];
  /** Says goodbye and ends. Containers and mesh go on. */
  close(): Promise<void>;
  /** Tells the manager that this node leaves, then stops and removes every container of it. */
  leave(signal: AbortSignal): Promise<void>;
}
