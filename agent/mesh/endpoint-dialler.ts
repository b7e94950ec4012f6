import type { Endpoint } from '../../proto/endpoint-table.js';
import type { ByteStream } from './byte-stream.js';
import { DialError } from './dial-error.js';
import { endpointKey } from './endpoint-key.js';
import type { Locals } from './locals.js';
import type { Peers } from './peers.js';
import { dialTcp } from './tcp-dial.js';

export interface EndpointDiallerOptions {
  readonly nodeId: string;
  readonly locals: Locals;
  readonly peers: Peers;
  /** While no daemon tells of changes, a container's address may have gone to another. */
  readonly isDaemonHere: () => boolean;
}

/** Dials one endpoint: a container of this node over its bridge, any other through a tunnel. */
export class EndpointDialler {
  readonly #options: EndpointDiallerOptions;

  constructor(options: EndpointDiallerOptions) {
    this.#options = options;
  }

  /** Rejects with a DialError within `timeout` ms. */
  async dial(endpoint: Endpoint, timeout: number): Promise<ByteStream> {
    const { nodeId, locals, peers, isDaemonHere } = this.#options;
    if (endpoint.nodeId !== nodeId) return peers.dial(endpoint.nodeId, endpointKey(endpoint), timeout);
    const local = locals.get(endpoint.taskId);
    if (local === undefined || (!isDaemonHere() && !locals.isAlive(endpoint.taskId))) {
      throw new DialError('refused', `task ${endpoint.taskId} does not run on this node`);
    }
    return dialTcp(local.address, endpoint.targetPort, timeout);
  }
}
