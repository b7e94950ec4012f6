import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.js';
import { MOST_WAITING_BYTES, type DatagramLink, type LinkEvents } from './datagram-link.js';
import type { Locals } from './locals.js';
import type { LocalEndpoint } from './messages.js';

/** How often containers are looked at while no daemon tells of them, ms. */
const WATCH_PERIOD = 1_000;

export interface LocalLinksOptions {
  readonly locals: Locals;
  /** While no daemon tells of changes, a container's address may have gone to another. */
  readonly isDaemonHere: () => boolean;
  readonly clock: Clock;
}

/** The links to containers of this node, for clients of this node's ports and of the tunnels that end here. */
export class LocalLinks {
  readonly #options: LocalLinksOptions;
  readonly #links = new Set<LocalLink>();
  #cancelWatch: (() => void) | undefined;

  constructor(options: LocalLinksOptions) {
    this.#options = options;
  }

  open(taskId: string, targetPort: number, events: LinkEvents): DatagramLink {
    const { locals } = this.#options;
    const local = locals.get(taskId);
    const address = local !== undefined && this.#isHere(local) ? local.address : undefined;
    const link = new LocalLink(taskId, address, targetPort, events, () => {
      this.#links.delete(link);
    });
    this.#links.add(link);
    this.#watch();
    return link;
  }

  /** Ends the links to containers that are gone: their addresses may belong to others now. */
  localsChanged(): void {
    for (const link of [...this.#links]) {
      const local = this.#options.locals.get(link.taskId);
      if (local === undefined || local.address !== link.address || !this.#isHere(local)) link.refuse();
    }
  }

  destroy(): void {
    this.#cancelWatch?.();
    for (const link of [...this.#links]) link.close();
  }

  #isHere({ taskId }: LocalEndpoint): boolean {
    const { locals, isDaemonHere } = this.#options;
    return isDaemonHere() || locals.isAlive(taskId);
  }

  #watch(): void {
    this.#cancelWatch ??= this.#options.clock.schedule(WATCH_PERIOD, () => {
      this.#cancelWatch = undefined;
      if (!this.#options.isDaemonHere()) this.localsChanged();
      if (this.#links.size > 0) this.#watch();
    });
  }
}

/** A socket of its own for each client, so that the container can tell them apart and answer. */
class LocalLink implements DatagramLink {
  readonly taskId: string;
  /** Undefined when the container is not here. */
  readonly address: string | undefined;
  readonly #events: LinkEvents;
  readonly #onClosed: () => void;
  readonly #socket: Socket;
  /** What waits for the socket to be connected, a turn of the event loop; undefined from then on. */
  #pending: Buffer[] | undefined = [];
  #closed = false;

  constructor(
    taskId: string,
    address: string | undefined,
    targetPort: number,
    events: LinkEvents,
    onClosed: () => void,
  ) {
    this.taskId = taskId;
    this.address = address;
    this.#events = events;
    this.#onClosed = onClosed;
    this.#socket = createSocket({ type: isIPv6(address ?? '') ? 'udp6' : 'udp4' });
    // A network tells a refusal (ICMP) by an error of a later call.
    this.#socket.on('error', this.refuse);
    if (address === undefined) {
      setImmediate(this.refuse);
      return;
    }
    this.#socket.on('message', (datagram) => {
      this.#events.onDatagram(datagram);
    });
    this.#socket.once('connect', () => {
      const pending = this.#pending ?? [];
      this.#pending = undefined;
      for (const datagram of pending) this.send(datagram);
    });
    this.#socket.connect(targetPort, address);
  }

  send(datagram: Buffer): void {
    if (this.#closed) return;
    if (this.#pending !== undefined) {
      this.#pending.push(datagram);
      return;
    }
    if (this.#socket.getSendQueueSize() > MOST_WAITING_BYTES) return;
    this.#socket.send(datagram, this.#onSent);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    this.#socket.close();
  }

  readonly refuse = (): void => {
    if (this.#closed) return;
    this.close();
    this.#events.onRefused();
  };

  readonly #onSent = (error: Error | null): void => {
    // A datagram that is too long for the way is lost alone.
    if (error !== null && !('code' in error && error.code === 'EMSGSIZE')) this.refuse();
  };
}
