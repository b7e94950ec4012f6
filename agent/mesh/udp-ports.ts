import type { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import type { DatagramLink, LinkEvents } from './datagram-link.js';
import { planListeners } from './listener-plan.js';
import type { Routes } from './routes.js';
import { UdpPort } from './udp-port.js';
import type { UdpAddress, UdpSuccessor } from './udp-succession.js';

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
  /** Served by another process, but some client is still owed an answer. */
  readonly #handedOver = new Set<UdpPort>();

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

  /** Serves ports by sockets that another process of this node bound. Clients get new sessions. */
  adopt(sockets: readonly UdpSocket[]): void {
    for (const { publishedPort, socket } of sockets) {
      const failing = this.#ports.get(publishedPort);
      failing?.close();
      this.#open(publishedPort, socket);
      if (failing !== undefined) this.#options.onChange();
    }
  }

  /**
   * The bound sockets, to be handed to another process; each is served here until `handOver`. A port
   * that could not be bound is closed, so that the two never fight over it.
   */
  release(): readonly UdpSocket[] {
    return [...this.#ports].flatMap(([publishedPort, port]) => {
      const { socket } = port;
      if (socket !== undefined) return [{ publishedPort, socket }];
      port.close();
      this.#ports.delete(publishedPort);
      return [];
    });
  }

  /** The other process reads the socket now. The answers that are owed here go by it. */
  handOver(publishedPort: number, successor: UdpSuccessor): void {
    const port = this.#ports.get(publishedPort);
    if (port === undefined) return;
    this.#ports.delete(publishedPort);
    this.#handedOver.add(port);
    port.handOver(successor, () => {
      this.#handedOver.delete(port);
    });
  }

  /** Sends a client what the process before this one owed it. */
  answer(publishedPort: number, datagram: Buffer, client: UdpAddress): void {
    this.#find(publishedPort)?.answer(datagram, client);
  }

  /** Serves a datagram that another process read. */
  serve(publishedPort: number, datagram: Buffer, client: UdpAddress): void {
    this.#find(publishedPort)?.serve(datagram, client);
  }

  /** Whether it takes datagrams of clients. */
  get isServing(): boolean {
    return this.#ports.size > 0;
  }

  errors(): readonly { readonly publishedPort: number; readonly error: string }[] {
    return [...this.#ports].flatMap(([publishedPort, { error }]) =>
      error === undefined ? [] : [{ publishedPort, error }],
    );
  }

  /** Sessions of clients. */
  get open(): number {
    let open = 0;
    for (const port of this.#all()) open += port.open;
    return open;
  }

  close(): void {
    for (const port of this.#all()) port.close();
    this.#ports.clear();
    this.#retiring.clear();
    this.#handedOver.clear();
  }

  #all(): readonly UdpPort[] {
    return [...this.#ports.values(), ...this.#retiring.values(), ...this.#handedOver];
  }

  #find(publishedPort: number): UdpPort | undefined {
    return this.#ports.get(publishedPort) ?? this.#retiring.get(publishedPort);
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
