/**
 * Where published ports lead, cluster-wide. Written by the manager alone, always complete; a mesh
 * replaces its table, never merges, and acknowledges the number.
 */
export interface EndpointTable {
  /** Grows with every change, also over manager restarts (it is the store index of the change). 0 = no table yet. */
  readonly number: number;
  readonly clusterId: string;
  /** The members: only these may open tunnels; `meshAddr` (host:port) is where to dial one. */
  readonly nodes: readonly MeshPeer[];
  readonly ports: readonly PublishedPort[];
}

export interface MeshPeer {
  readonly nodeId: string;
  readonly meshAddr: string;
}

export interface PublishedPort {
  readonly publishedPort: number;
  /** A number may be published as both: these are two ports. */
  readonly protocol: 'tcp' | 'udp';
  /** Of tcp ports: `auto` decides by the first bytes; `tcp` never looks; `http` always parses. */
  readonly mode: 'auto' | 'tcp' | 'http';
  readonly serviceId: string;
  readonly serviceName: string;
  /**
   * Which replica gets new work: the one with the least under way, or the one that the client had before.
   * Absent: each in its turn.
   */
  readonly balance?: 'least-connections' | 'sticky';
  /** Each connection to a replica begins with this header; such a port is never read as HTTP. */
  readonly proxyProtocol?: 'v1' | 'v2';
  /** The most connections of clients at a time, per mesh process; absent: what the mesh allows a port. */
  readonly maxConnections?: number;
  /** What becomes of new work while no endpoint is active; absent in tables of older managers. */
  readonly hold?: Hold;
  /**
   * An address or CIDR block: each node listens on those of its addresses that are within, and on no other.
   * Absent: where the node's --publish-addr says.
   */
  readonly listenOn?: string;
  /** Of udp ports: ms without a datagram after which a client's session ends. */
  readonly udpTimeout?: number;
  readonly endpoints: readonly Endpoint[];
}

/** New work waits for an active endpoint for so long, then it is refused. */
export interface Hold {
  /** 0 = refused at once. Not counted while a draining endpoint is still there: its successor comes after it. */
  readonly ms: number;
  /** Why there may be no endpoint, as the client that is refused reads it. */
  readonly reason: string;
}

/** One replica behind one published port. */
export interface Endpoint {
  readonly taskId: string;
  readonly nodeId: string;
  readonly targetPort: number;
  /** `draining`: nothing new is routed to it. */
  readonly state: 'active' | 'draining';
}
