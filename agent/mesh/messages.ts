import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';

/**
 * The contract between a daemon and each of its mesh processes: JSON documents, one a line, over the
 * unix socket `mesh-<pid>.sock` of the node's run directory. A mesh outlives the daemon: when the
 * daemon is gone it keeps routing by its last table, and the next daemon connects to the same socket.
 */
export type DaemonToMesh =
  | { readonly kind: 'table'; readonly table: EndpointTable }
  /** The running containers of this node, complete; replaces what was told before. */
  | { readonly kind: 'locals'; readonly locals: readonly LocalEndpoint[] }
  /** The identity file was renewed: read it again, for new connections. */
  | { readonly kind: 'identity' }
  /** Start another mesh process, which is given the listening sockets of this one. */
  | {
      readonly kind: 'spawn';
      /** Program and arguments, without `--config FILE`. */
      readonly command: readonly string[];
      readonly configFile: string;
      readonly logFile: string;
    }
  /** From now on bind the ports of the table yourself. */
  | { readonly kind: 'lead' }
  /** Let nothing new in, and end when all that is under way has ended. */
  | { readonly kind: 'retire' }
  /** Answered at once: a mesh that does not hangs. */
  | { readonly kind: 'ping' }
  /** End: close listeners, let nothing new in, exit. Sent when the node leaves the cluster. */
  | { readonly kind: 'quit' };

export type MeshToDaemon =
  | {
      readonly kind: 'hello';
      readonly pid: number;
      readonly version: string;
      readonly nodeId: string;
      /** When it started, ms since the epoch. */
      readonly since: number;
    }
  | { readonly kind: 'report'; readonly role: MeshRole; readonly report: MeshReport }
  | { readonly kind: 'spawned'; readonly pid: number }
  /** It could not be started, or it ended. */
  | { readonly kind: 'spawn-failed'; readonly pid?: number; readonly error: string }
  | { readonly kind: 'pong' };

/**
 * What a mesh process is to the others of its node: `lead` binds the ports; `follower` serves on
 * sockets that the lead shares with it; `orphan` is a follower whose lead is gone or retired, which serves on
 * but gets no further sockets; `retired` lets nothing new in and finishes what is under way.
 */
export type MeshRole = 'lead' | 'follower' | 'orphan' | 'retired';

export interface LocalEndpoint {
  readonly taskId: string;
  /** IP address of the container on this machine. */
  readonly address: string;
  /** Its process id; with it the mesh vouches for the container while the daemon is away. */
  readonly pid: number;
}

/** How a mesh process is started: `bale mesh --config FILE`, FILE holding this document. No secrets in it. */
export interface MeshConfig {
  readonly nodeId: string;
  readonly clusterId: string;
  /** PEM with key and certificates (core identity file); read at start and on `identity`. */
  readonly identityFile: string;
  /** host:port for tunnels of other nodes. */
  readonly listenAddr: string;
  /** The address on which published ports are opened. */
  readonly publishAddr: string;
  /** Unix socket for the daemon. */
  readonly socket: string;
  readonly logLevel: string;
  /** The version of bale that started it, told in its hello. */
  readonly version?: string;
}
