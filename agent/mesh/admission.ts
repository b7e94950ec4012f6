import type { Socket } from 'node:net';
import type { Logger } from '../../core/logger.js';
import type { Route } from './route.js';

/** Of one port, unless its service says otherwise: half of all, so that no port takes the room of the others. */
const SHARE_OF_PORT = 0.5;
/** ms between two lines of the log about one port. */
const LOG_PERIOD = 10_000;

export interface AdmissionOptions {
  /** The most connections of clients that are open at a time, on all published ports of this process. */
  readonly most: number;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly logger: Logger;
}

interface Refusals {
  readonly loggedAt: number;
  /** Since then. */
  count: number;
}

interface Presence {
  readonly route: Route;
  readonly room: Room;
}

/** The connections of one published port. */
class Room {
  open = 0;
  /** Those on which no request is under way, the longest so first. */
  readonly idle = new Set<Socket>();
}

/**
 * Bounds the connections of clients, per published port and in all. At a limit the connection that
 * has been idle for the longest makes room: one that has said nothing yet, not all of a request, or
 * is between two requests. So whoever opens connections and dawdles hurts himself. When all are busy
 * the new one is refused.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #all = new Room();
  readonly #rooms = new WeakMap<Route, Room>();
  readonly #present = new Map<Socket, Presence>();
  readonly #refusals = new Map<number, Refusals>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#all.open;
  }

  /** Counts a new connection, idle at first, until it closes; false when there is no room for it. */
  enter(client: Socket, route: Route): boolean {
    const room = this.#rooms.get(route) ?? new Room();
    this.#rooms.set(route, room);
    const { most } = this.#options;
    const mostOfPort = route.port.maxConnections ?? most * SHARE_OF_PORT;
    if (!this.#makeRoom(room, mostOfPort) || !this.#makeRoom(this.#all, most)) {
      this.#note(route.publishedPort, Math.min(mostOfPort, most));
      return false;
    }
    this.#present.set(client, { route, room });
    for (const each of [room, this.#all]) {
      each.open += 1;
      each.idle.add(client);
    }
    client.once('close', () => {
      this.#leave(client);
    });
    return true;
  }

  /** Something is under way on it: it stays, whatever the limits. */
  busy(client: Socket): void {
    this.#present.get(client)?.room.idle.delete(client);
    this.#all.idle.delete(client);
  }

  /** Nothing is under way on it any more. */
  idle(client: Socket): void {
    const presence = this.#present.get(client);
    if (presence === undefined) return;
    presence.room.idle.add(client);
    this.#all.idle.add(client);
  }

  #makeRoom(room: Room, most: number): boolean {
    if (room.open < most) return true;
    const [longestIdle] = room.idle;
    if (longestIdle === undefined) return false;
    this.#leave(longestIdle);
    longestIdle.destroy();
    return true;
  }

  #leave(client: Socket): void {
    const presence = this.#present.get(client);
    if (presence === undefined) return;
    this.#present.delete(client);
    for (const each of [presence.room, this.#all]) {
      each.open -= 1;
      each.idle.delete(client);
    }
  }

  #note(publishedPort: number, limit: number): void {
    const { now, logger } = this.#options;
    const time = now();
    const known = this.#refusals.get(publishedPort);
    if (known !== undefined && time - known.loggedAt < LOG_PERIOD) {
      known.count += 1;
      return;
    }
    this.#refusals.set(publishedPort, { loggedAt: time, count: 0 });
    logger.warn(
      { publishedPort, limit, refused: 1 + (known?.count ?? 0) },
      'a connection was refused: too many are open',
    );
  }
}
