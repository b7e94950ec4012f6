import type { Server, Socket } from 'node:net';

export interface StrangerBounds {
  /** ms for a whole connection that stays a stranger's. */
  readonly lifetime: number;
  /** Connections at a time, those in their handshake included. */
  readonly connections: number;
}

/** Who is at the other end, e.g. `10.0.0.2:41234`, as grpc-js names the peer of a call. */
export const peerKey = (socket: Socket): string => `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;

/**
 * The connections of a port whose clients have not shown yet who they are. When they are too many, the
 * oldest goes: one that comes in good faith is done in no time, one that holds a connection open is not.
 */
export class StrangerConnections {
  readonly #open = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>();

  constructor(server: Server, bounds: StrangerBounds) {
    server.on('connection', (socket: Socket) => {
      const key = peerKey(socket);
      const timer = setTimeout(() => socket.destroy(), bounds.lifetime).unref();
      this.settle(key);
      const entry = { socket, timer };
      this.#open.set(key, entry);
      socket.once('close', () => {
        if (this.#open.get(key) === entry) this.settle(key);
      });
      const oldest = this.#open.values().next().value;
      if (this.#open.size > bounds.connections) oldest?.socket.destroy();
    });
  }

  /** This one is no stranger any more. */
  settle(key: string): void {
    clearTimeout(this.#open.get(key)?.timer);
    this.#open.delete(key);
  }

  destroy(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }
}
