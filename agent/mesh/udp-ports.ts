import type { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import type { DatagramLink, LinkEvents } from './datagram-link.js';
import { planListeners } from './listener-plan.js';
import type { Routes } from './routes.js';
import { UdpPort } from './udp-port.js';

export interface UdpPortsOptions {
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly routes: Routes;
  readonly open: (endpoint: Endpoint, events: LinkEvents) => DatagramLink;
  /** Called when the errors changed. */
  readonly onChange: () => void;
}

export interface UdpSocket {
  readonly publishedPort: number;
  readonly socket: Socket;
}

/** The published udp ports of this node. One process of a node serves them all: a client's session lives in one place. */
export class UdpPorts {
  readonly #options: UdpPortsOptions;
  readonly #ports = new Map<number, UdpPort>();
  /** No longer published, but some client is still owed an answer. */
  readonly #retiring = new Map<number, UdpPort>();

  constructor(options: UdpPortsOptions) {
    this.#options = options;
  }

  /** Resolves when each port that can be bound is bound. */
  async apply(publishedPorts: readonly number[]): Promise<void> {
    for (const action of planListeners([...this.#ports.keys()], publishedPorts)) {
      switch (action.kind) {
        case 'open':
          this.#open(action.publishedPort);
          break;
        case 'close':
          this.#retire(action.publishedPort);
      }
      this.#options.logger.debug(action, 'udp port');
    }
    await Promise.all([...this.#ports.values()].map(({ attempted }) => attempted));
  }

  /**
   * Serves ports by sockets that another process of this node bound, before the first table. Clients
   * get new sessions; the other process relays the answers that it is owed until it closes its copies.
   */
  adopt(sockets: readonly UdpSocket[]): void {
    for (const { publishedPort, socket } of sockets) this.#open(publishedPort, socket);
  }

  /** The bound sockets, to be handed to another process. They are served here until `close`. */
  release(): readonly UdpSocket[] {
    return [...this.#ports].flatMap(([publishedPort, { socket }]) =>
      socket === undefined ? [] : [{ publishedPort, socket }],
    );
  }

  errors(): readonly { readonly publishedPort: number; readonly error: string }[] {
    return [...this.#ports].flatMap(([publishedPort, { error }]) =>
      error === undefined ? [] : [{ publishedPort, error }],
    );
  }

  /** Sessions of clients. */
  get open(): number {
    let open = 0;
    for (const port of [...this.#ports.values(), ...this.#retiring.values()]) open += port.open;
    return open;
  }

  close(): void {
    for (const port of this.#ports.values()) port.close();
    for (const port of this.#retiring.values()) port.close();
    this.#ports.clear();
    this.#retiring.clear();
  }

  #retire(publishedPort: number): void {
    const port = this.#ports.get(publishedPort);
    if (port === undefined) return;
    this.#ports.delete(publishedPort);
    this.#retiring.set(publishedPort, port);
    port.retire(() => {
      this.#retiring.delete(publishedPort);
    });
  }

  #open(publishedPort: number, adopted?: Socket): void {
    const retiring = this.#retiring.get(publishedPort);
    if (retiring !== undefined && adopted === undefined) {
      retiring.revive();
      this.#retiring.delete(publishedPort);
      this.#ports.set(publishedPort, retiring);
      return;
    }
    const { host, clock, routes, open, onChange } = this.#options;
    const route = (): ReturnType<Routes['get']> => routes.get(publishedPort, 'udp');
    this.#ports.set(publishedPort, new UdpPort({ host, publishedPort, clock, route, open, onChange }, adopted));
  }
}
