import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { IpcChannel } from './ipc-channel.js';
import type { LocalLinks } from './local-links.js';
import type { Routes } from './routes.js';
import { UdpHandover } from './udp-handover.js';
import { UdpPorts } from './udp-ports.js';
import { UdpTakeover } from './udp-takeover.js';
import { UdpTunnels, type UdpTunnelsOptions } from './udp-tunnels.js';

export interface UdpFrontOptions {
  readonly nodeId: string;
  readonly host: string;
  /** See UdpPortOptions. */
  readonly budget: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly routes: Routes;
  readonly localLinks: LocalLinks;
  /** Opens a tunnel to an endpoint of another node. */
  readonly dial: UdpTunnelsOptions['dial'];
  /** To the process that started this one. */
  readonly parent: IpcChannel | undefined;
  /** Whether this process leads. */
  readonly leads: () => boolean;
  /** The addresses that this machine has. */
  readonly addresses: () => readonly string[];
  /** Called when the errors changed. */
  readonly onChange: () => void;
}

/**
 * The published udp ports of a node, from one leading process to the next. The leading one alone
 * serves them: a session must see each datagram of its client.
 */
export class UdpFront {
  readonly #options: UdpFrontOptions;
  readonly #tunnels: UdpTunnels;
  readonly #ports: UdpPorts;
  readonly #handover: UdpHandover;
  readonly #takeover: UdpTakeover;
  #closed = false;

  constructor(options: UdpFrontOptions) {
    const { nodeId, host, budget, clock, logger, routes, localLinks, dial, parent, onChange } = options;
    this.#options = options;
    this.#tunnels = new UdpTunnels({ dial, clock });
    this.#ports = new UdpPorts({
      host,
      budget,
      clock,
      logger,
      routes,
      open: (endpoint, events) =>
        endpoint.nodeId === nodeId
          ? localLinks.open(endpoint.taskId, endpoint.targetPort, events)
          : this.#tunnels.open(endpoint, events),
      onChange,
    });
    this.#takeover = new UdpTakeover({ parent, ports: this.#ports, clock, logger });
    this.#handover = new UdpHandover({
      ports: this.#ports,
      logger,
      onReturned: () => {
        void this.apply();
      },
    });
  }

  errors(): ReturnType<UdpPorts['errors']> {
    return this.#ports.errors();
  }

  /** Sessions of clients. */
  get open(): number {
    return this.#ports.open;
  }

  /** Whether a process that was retired is still needed: nobody took its ports yet, or a client is owed an answer. */
  get isNeeded(): boolean {
    return this.#ports.isServing || this.#ports.open > 0;
  }

  /** Serves the ports of the present table, where this process leads. Resolves when each that can be had is had. */
  async apply(): Promise<void> {
    const { leads, routes, addresses } = this.#options;
    if (!leads()) return;
    await this.#takeover.take();
    if (this.#closed || this.#handover.isTaken) return;
    await this.#ports.apply(routes.publishedPorts('udp'), addresses());
  }

  /** A process that this one started, which may take over. */
  addHeir(channel: IpcChannel): void {
    this.#handover.addHeir(channel);
  }

  /** Serves on until another has taken over; see UdpHandover. */
  retire(): void {
    this.#closed = true;
    this.#takeover.close();
    this.#handover.retire();
  }

  /** Gives the ports free at once. */
  close(): void {
    this.#closed = true;
    this.#takeover.close();
    this.#ports.close();
  }

  destroy(): void {
    this.#tunnels.destroy();
  }
}
