import type { Server } from 'node:net';
import type { Heirs } from './heirs.js';
import type { SocketOffer, SocketSource } from './socket-source.js';

/** What a listener needs to know of the other mesh processes of its node. */
export interface SharedSockets {
  /** Asks for the socket of `name`; see SocketSource. */
  obtain(name: string, take: (offer: SocketOffer) => void): () => void;
  opened(name: string, socket: Server): void;
  failed(name: string, error: string): void;
  closed(name: string): void;
}

/** Sockets that come from `source` and are shared with `heirs`. */
export const sharedSockets = (source: SocketSource, heirs: Heirs): SharedSockets => ({
  obtain: (name, take) => source.obtain(name, take),
  opened: (name, socket) => {
    heirs.holds(name, { socket });
  },
  failed: (name, error) => {
    heirs.holds(name, { error });
  },
  closed: (name) => {
    heirs.drops(name);
  },
});
