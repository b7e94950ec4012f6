import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.js';
import { errorCode } from '../../core/errors.js';
import { MOST_WAITING_BYTES, type DatagramLink, type LinkEvents } from './datagram-link.js';
import { endpointKey, parseEndpointKey } from './endpoint-key.js';
import type { Locals } from './locals.js';
import type { LocalEndpoint } from './messages.js';
import { UdpRefusals } from './udp-refusals.js';
import { hasUdpSocket } from './udp-socket-table.js';

/** How often containers are looked at while no daemon tells of them, ms. */
const WATCH_PERIOD = 1_000;

export interface LocalLinksOptions {
  readonly locals: Locals;
  /** While no daemon tells of changes, a container's address may have gone to another. */
  readonly isDaemonHere: () => boolean;
  readonly clock: Clock;
}

/**
 * The links to containers of this node, for clients of this node's ports and of the tunnels that end
 * here. One refusal speaks for all links to a port, since a kernel tells of few: for those there are,
 * whose datagrams it may have dropped without a word, and for those to come, until the port is bound.
 */
export class LocalLinks {
  readonly #options: LocalLinksOptions;
  readonly #links = new Set<LocalLink>();
  readonly #refusals = new UdpRefusals();
  #cancelWatch: (() => void) | undefined;

  constructor(options: LocalLinksOptions) {
    this.#options = options;
  }

  open(taskId: string, targetPort: number, events: LinkEvents): DatagramLink {
    const { locals, clock } = this.#options;
    const local = locals.get(taskId);
    const key = endpointKey({ taskId, targetPort }, 'udp');
    const isThere =
      local !== undefined &&
      this.#isHere(local) &&
      !this.#refusals.refuses(key, clock.now(), () => hasUdpSocket(local.pid, local.address, targetPort));
    const link = new LocalLink(taskId, isThere ? local.address : undefined, targetPort, {
      ...events,
      onDatagram: (datagram) => {
        this.#refusals.answered(key);
        events.onDatagram(datagram);
      },
      onPortRefused: () => {
        this.#refusals.refused(key, clock.now());
        for (const other of [...this.#links]) if (other.reaches(taskId, targetPort)) other.refuse();
      },
      onClosed: () => {
        this.#links.delete(link);
      },
    });
    this.#links.add(link);
    this.#watch();
    return link;
  }

  /** Ends the links to containers that are gone: their addresses may belong to others now. */
  localsChanged(): void {
    this.#refusals.keepOnly((key) => this.#options.locals.get(parseEndpointKey(key)?.taskId ?? '') !== undefined);
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

interface LocalLinkEvents extends LinkEvents {
  /** The container's kernel says that nothing listens there. `onRefused` comes too. */
  onPortRefused(): void;
  onClosed(): void;
}

/** A socket of its own for each client, so that the container can tell them apart and answer. */
class LocalLink implements DatagramLink {
  readonly taskId: string;
  /** Undefined when the container is not here, or refuses. */
  readonly address: string | undefined;
  readonly #targetPort: number;
  readonly #events: LocalLinkEvents;
  readonly #socket: Socket;
  /** What waits for the socket to be connected, a turn of the event loop; undefined from then on. */
  #pending: Buffer[] | undefined = [];
  #closed = false;

  constructor(taskId: string, address: string | undefined, targetPort: number, events: LocalLinkEvents) {
    this.taskId = taskId;
    this.address = address;
    this.#targetPort = targetPort;
    this.#events = events;
    this.#socket = createSocket({ type: isIPv6(address ?? '') ? 'udp6' : 'udp4' });
    // A network tells a refusal (ICMP) by an error of a later call.
    this.#socket.on('error', this.#onError);
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

  reaches(taskId: string, targetPort: number): boolean {
    return this.taskId === taskId && this.#targetPort === targetPort;
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
    this.#events.onClosed();
    this.#socket.close();
  }

  readonly refuse = (): void => {
    if (this.#closed) return;
    this.close();
    this.#events.onRefused();
  };

  readonly #onSent = (error: Error | null): void => {
    // A datagram that is too long for the way is lost alone.
    if (error !== null && errorCode(error) !== 'EMSGSIZE') this.#onError(error);
  };

  readonly #onError = (error: Error): void => {
    if (this.#closed) return;
    if (errorCode(error) === 'ECONNREFUSED') this.#events.onPortRefused();
    this.refuse();
  };
}
