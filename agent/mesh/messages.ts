import type { EndpointTable } from '../../proto/endpoint-table.js';
import type { MeshReport } from '../../proto/session.js';

/**
 * The contract between a daemon and its mesh process: JSON documents, one a line, over the unix
 * socket `mesh.sock` of the node's run directory. The mesh outlives the daemon: when the daemon is
 * gone it keeps routing by its last table, and the next daemon connects to the same socket.
 */
export type DaemonToMesh =
  | { readonly kind: 'table'; readonly table: EndpointTable }
  /** The running containers of this node, complete; replaces what was told before. */
  | { readonly kind: 'locals'; readonly locals: readonly LocalEndpoint[] }
  /** The identity file was renewed: read it again, for new connections. */
  | { readonly kind: 'identity' }
  /** End: close listeners, let nothing new in, exit. Sent when the node leaves the cluster. */
  | { readonly kind: 'quit' };

export type MeshToDaemon =
  | { readonly kind: 'hello'; readonly pid: number; readonly version: string; readonly nodeId: string }
  | { readonly kind: 'report'; readonly report: MeshReport };

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
