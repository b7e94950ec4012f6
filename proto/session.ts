import type { AssignmentSet } from './assignment.js';
import type { EndpointTable } from './endpoint-table.js';
import type { NodeDescription } from './engine/node-document.js';
import type { TaskStatus } from './engine/task-document.js';
import type { Payload } from './payload.js';

/** Up the session stream. */
export type AgentMessage =
  | {
      readonly kind: 'hello';
      readonly protocolVersion: number;
      readonly baleVersion: string;
      readonly description: NodeDescription;
      /** Empty while the Engine answers; else its own error. Such a node is down, with this message. */
      readonly engineError: string;
      /** Where the other nodes' meshes (and the manager's probe) dial this one, host:port. */
      readonly meshAddr: string;
      /** It answers requests for streams. */
      readonly streams: boolean;
    }
  | { readonly kind: 'heartbeat' }
  /** What changed in the description or the Engine's health since the hello. */
  | { readonly kind: 'condition'; readonly description: NodeDescription; readonly engineError: string }
  /** The latest observed status of each task named; later ones win, a lower state is ignored. */
  | {
      readonly kind: 'statuses';
      readonly statuses: readonly { readonly taskId: string; readonly status: TaskStatus }[];
    }
  | { readonly kind: 'mesh'; readonly report: MeshReport }
  /** The daemon stops on purpose; its containers and its mesh go on. */
  | { readonly kind: 'goodbye' };

/** What a mesh applied, and what it could not. Sent at once on change. */
export interface MeshReport {
  /** Every mesh process of the node routes by this table or a later one. */
  readonly tableNumber: number;
  readonly bindErrors: readonly {
    readonly publishedPort: number;
    readonly protocol: 'tcp' | 'udp';
    readonly error: string;
    /** The port asks for addresses that this node does not have; nothing failed. */
    readonly notice?: boolean;
  }[];
  /** Requests and connections under way per endpoint, by task id; zeros left out. */
  readonly inFlight: Readonly<Record<string, number>>;
}

/** Down the session stream. */
export type ManagerMessage =
  | {
      readonly kind: 'welcome';
      readonly clusterId: string;
      /** ms between heartbeats. */
      readonly heartbeatPeriod: number;
      /** PEM. */
      readonly trustRoot: string;
      readonly managers: readonly { readonly nodeId: string; readonly addr: string }[];
    }
  /** Comes before the assignments that need them; never logged. */
  | { readonly kind: 'payloads'; readonly payloads: readonly Payload[] }
  | { readonly kind: 'assignments'; readonly assignments: AssignmentSet }
  | { readonly kind: 'endpoints'; readonly table: EndpointTable }
  /** To be opened by the agent as `Streams.Connect`; sent only to agents that said `streams`. */
  | { readonly kind: 'stream-request'; readonly streamId: string };
