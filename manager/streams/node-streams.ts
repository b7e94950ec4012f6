import type { Duplex } from 'node:stream';

export interface NodeStreams {
  /**
   * A connection to the restricted Engine API of this node (agent/streams): HTTP/1.1, we are the client.
   * Rejects with a BaleError when the node has no session, does not answer within the time limit or is
   * too old, and with an AbortError when the signal aborts. Afterwards the signal means nothing: destroy
   * the stream. It is destroyed with an error when the node's session ends.
   */
  open(nodeId: string, signal: AbortSignal): Promise<Duplex>;
}
