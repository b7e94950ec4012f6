import type { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import type { DatagramLink, LinkEvents } from './datagram-link.js';
import { addressOf, listenName, planListeners, type ListenAddress, type WantedPort } from './listener-plan.js';
import { portErrors, type ListenError } from './port-errors.js';
import type { Routes } from './routes.js';
import { UdpPort } from './udp-port.js';
import type { UdpAddress, UdpSuccessor } from './udp-succession.js';

export interface UdpPortsOptions {
  readonly host: string;
  /** See UdpPortOptions. */
  readonly budget: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly routes: Routes;
  readonly open: (endpoint: Endpoint, events: LinkEvents) => DatagramLink;
  /** Called when the errors changed. */
  readonly onChange: () => void;
}

export interface UdpSocket extends ListenAddress {
  readonly socket: Socket;
}

interface Served extends ListenAddress {
  readonly port: UdpPort;
}

/** The published udp ports of this node. One process of a node serves them all: a client's session lives in one place. */
export class UdpPorts {
  readonly #options: UdpPortsOptions;
  readonly #ports = new Map<string, Served>();
  #wanted: readonly WantedPort[] = [];
  /** No longer published, but some client is still owed an answer. */
  readonly #retiring = new Map<string, UdpPort>();
  /** Served by another process, but some client is still owed an answer. */
  readonly #handedOver = new Set<UdpPort>();

  constructor(options: UdpPortsOptions) {
    this.#options = options;
  }

  /** Resolves when each port that can be bound is bound. */
  async apply(wanted: readonly WantedPort[], present: readonly string[]): Promise<void> {
    this.#wanted = wanted;
    for (const action of planListeners([...this.#ports.values()], wanted, present)) {
      switch (action.kind) {
        case 'open':
          this.#open(action);
          break;
        case 'close':
          this.#retire(listenName(action));
      }
      this.#options.logger.debug(action, 'udp port');
    }
    await Promise.all([...this.#ports.values()].map(({ port }) => port.attempted));
  }

  /** Serves ports by sockets that another process of this node bound. Clients get new sessions. */
  adopt(sockets: readonly UdpSocket[]): void {
    for (const { socket, ...at } of sockets) {
      const failing = this.#ports.get(listenName(at));
      failing?.port.close();
      this.#open(at, socket);
      if (failing !== undefined) this.#options.onChange();
    }
  }

  /**
   * The bound sockets, to be handed to another process; each is served here until `handOver`. A port
   * that could not be bound is closed, so that the two never fight over it.
   */
  release(): readonly UdpSocket[] {
    // Whoever takes them tells of them from now on.
    this.#wanted = [];
    return [...this.#ports].flatMap(([name, { port, ...at }]) => {
      const { socket } = port;
      if (socket !== undefined) return [{ ...at, socket }];
      port.close();
      this.#ports.delete(name);
      return [];
    });
  }

  /** The other process reads the socket now. The answers that are owed here go by it. */
  handOver(at: ListenAddress, successor: UdpSuccessor): void {
    const port = this.#ports.get(listenName(at))?.port;
    if (port === undefined) return;
    this.#ports.delete(listenName(at));
    this.#handedOver.add(port);
    port.handOver(successor, () => {
      this.#handedOver.delete(port);
    });
  }

  /** Sends a client what the process before this one owed it. */
  answer(at: ListenAddress, datagram: Buffer, client: UdpAddress): void {
    this.#find(at)?.answer(datagram, client);
  }

  /** Serves a datagram that another process read. */
  serve(at: ListenAddress, datagram: Buffer, client: UdpAddress): void {
    this.#find(at)?.serve(datagram, client);
  }

  /** Whether it takes datagrams of clients. */
  get isServing(): boolean {
    return this.#ports.size > 0;
  }

  errors(): readonly ListenError[] {
    const listeners = [...this.#ports.values()].map(({ publishedPort, port: { error } }) => ({ publishedPort, error }));
    return portErrors(this.#wanted, listeners);
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
    this.#wanted = [];
    this.#retiring.clear();
    this.#handedOver.clear();
  }

  #all(): readonly UdpPort[] {
    const served = [...this.#ports.values()].map(({ port }) => port);
    return [...served, ...this.#retiring.values(), ...this.#handedOver];
  }

  #find(at: ListenAddress): UdpPort | undefined {
    return this.#ports.get(listenName(at))?.port ?? this.#retiring.get(listenName(at));
  }

  #retire(name: string): void {
    const port = this.#ports.get(name)?.port;
    if (port === undefined) return;
    this.#ports.delete(name);
    this.#retiring.set(name, port);
    port.retire(() => {
      this.#retiring.delete(name);
    });
  }

  #open(address: ListenAddress, adopted?: Socket): void {
    const at = addressOf(address);
    const name = listenName(at);
    const retiring = this.#retiring.get(name);
    if (retiring !== undefined && adopted === undefined) {
      retiring.revive();
      this.#retiring.delete(name);
      this.#ports.set(name, { ...at, port: retiring });
      return;
    }
    const { publishedPort, host = this.#options.host } = at;
    const { budget, clock, routes, open, onChange } = this.#options;
    const route = (): ReturnType<Routes['get']> => routes.get(publishedPort, 'udp');
    const options = { host, publishedPort, budget, clock, route, open, onChange };
    this.#ports.set(name, { ...at, port: new UdpPort(options, adopted) });
  }
}
