import type { ClientHttp2Stream } from 'node:http2';
import { parseHostPort } from '../../core/address.js';
import { errorMessage } from '../../core/errors.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import { DialError } from './dial-error.js';
import { Peer, type PeerOptions } from './peer.js';
import { endpointsOf } from './routes.js';

/** The other nodes of the table. Those with endpoints are kept warm. */
export class Peers {
  readonly #ownNodeId: string;
  readonly #options: PeerOptions;
  readonly #peers = new Map<string, Peer>();

  constructor(ownNodeId: string, options: PeerOptions) {
    this.#ownNodeId = ownNodeId;
    this.#options = options;
  }

  apply(table: EndpointTable): void {
    const named = new Map(table.nodes.map((node) => [node.nodeId, node.meshAddr]));
    for (const [nodeId, peer] of this.#peers) {
      const address = named.get(nodeId);
      if (address === undefined) peer.destroy();
      else if (address !== peer.target.meshAddr) peer.close();
      else continue;
      this.#peers.delete(nodeId);
    }
    for (const [nodeId, address] of named) {
      if (nodeId === this.#ownNodeId || this.#peers.has(nodeId)) continue;
      this.#add(nodeId, address);
    }
    for (const { nodeId } of endpointsOf(table)) this.#peers.get(nodeId)?.warm();
  }

  async dial(nodeId: string, key: string, timeout: number): Promise<ClientHttp2Stream> {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) throw new DialError('unreachable', `node ${nodeId} is not in the endpoint table`);
    return peer.dial(key, timeout);
  }

  /** Resolves when each way that was opened ahead of use is there or failed, or after `timeout` ms. */
  async warmedUp(timeout: number): Promise<void> {
    const attempts = Promise.all([...this.#peers.values()].map((peer) => peer.attempted));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([attempts, new Promise((resolve) => (timer = setTimeout(resolve, timeout)))]);
    clearTimeout(timer);
  }

  /** Ends the sessions once their tunnels have ended. */
  close(): void {
    for (const peer of this.#peers.values()) peer.close();
  }

  destroy(): void {
    for (const peer of this.#peers.values()) peer.destroy();
    this.#peers.clear();
  }

  #add(nodeId: string, meshAddr: string): void {
    try {
      const address = parseHostPort(meshAddr, { port: 2378 }, `mesh address of node ${nodeId}`);
      this.#peers.set(nodeId, new Peer({ nodeId, address, meshAddr }, this.#options));
    } catch (error) {
      this.#options.logger.warn({ err: errorMessage(error) }, 'a node of the endpoint table cannot be dialled');
    }
  }
}
