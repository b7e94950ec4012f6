import { hostAddresses } from '../host-addresses.js';
import type { Clock } from '../../core/clock.js';
import type { MeshReport } from '../../proto/session.js';
import { AddressWatch } from './address-watch.js';
import { Listeners, type ListenersOptions } from './listeners.js';
import type { Routes } from './routes.js';
import type { UdpFront } from './udp-front.js';

export interface PublishedPortsOptions extends Omit<ListenersOptions, 'onConnection'> {
  readonly clock: Clock;
  readonly routes: Routes;
  readonly udp: () => UdpFront;
  readonly onConnection: ListenersOptions['onConnection'];
}

/** Listens for the published ports of the present table, on the addresses that this machine has at the time. */
export class PublishedPorts {
  readonly #options: PublishedPortsOptions;
  readonly #listeners: Listeners;
  readonly #watch: AddressWatch;

  constructor(options: PublishedPortsOptions) {
    const { clock, onChange } = options;
    this.#options = options;
    this.#listeners = new Listeners(options);
    this.#watch = new AddressWatch({
      clock,
      read: hostAddresses,
      onChange: () => {
        void this.apply().then(onChange);
      },
    });
  }

  /** As they are known now; read only while some port asks for certain ones. */
  get addresses(): readonly string[] {
    return this.#watch.present;
  }

  /** Resolves when each listener that can be bound is bound. */
  async apply(): Promise<void> {
    const { routes, udp } = this.#options;
    const tcp = routes.publishedPorts('tcp');
    this.#watch.watch([...tcp, ...routes.publishedPorts('udp')].some(({ listenOn }) => listenOn !== undefined));
    await Promise.all([this.#listeners.apply(tcp, this.addresses), udp().apply()]);
  }

  errors(): MeshReport['bindErrors'] {
    return [
      ...this.#listeners.errors().map((error) => ({ ...error, protocol: 'tcp' as const })),
      ...this.#options
        .udp()
        .errors()
        .map((error) => ({ ...error, protocol: 'udp' as const })),
    ];
  }

  /** Accepts no more connections; udp ports are another's to close. */
  close(): void {
    this.#watch.close();
    this.#listeners.close();
  }
}
