import { createServer, type Socket } from 'node:net';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { Binding } from './binding.js';
import { SOCKET_OPTIONS } from './byte-stream.js';
import { addressOf, listenName, planListeners, type ListenAddress, type WantedPort } from './listener-plan.js';
import { portErrors, type ListenError } from './port-errors.js';
import type { SharedSockets } from './shared-sockets.js';

export interface ListenersOptions {
  /** Where ports that ask for no address are served. */
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sockets: SharedSockets;
  readonly onConnection: (socket: Socket, publishedPort: number) => void;
  /** Called when the errors changed. */
  readonly onChange: () => void;
}

/** The listeners of this node: one for each published port, or for each of the addresses that it asks for. */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #listeners = new Map<string, ListenAddress & { readonly binding: Binding }>();
  #wanted: readonly WantedPort[] = [];

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Resolves when each listener that can be bound is bound. Connections of closed ones live on. */
  async apply(wanted: readonly WantedPort[], present: readonly string[]): Promise<void> {
    this.#wanted = wanted;
    for (const action of planListeners([...this.#listeners.values()], wanted, present)) {
      const name = listenName(action);
      switch (action.kind) {
        case 'open':
          this.#listeners.set(name, { ...addressOf(action), binding: this.#open(action) });
          break;
        case 'close':
          this.#listeners.get(name)?.binding.close();
          this.#listeners.delete(name);
      }
      this.#options.logger.debug(action, 'listener');
    }
    await Promise.all([...this.#listeners.values()].map(({ binding }) => binding.attempted));
  }

  errors(): readonly ListenError[] {
    const listeners = [...this.#listeners.values()].map(({ publishedPort, binding: { error } }) => ({
      publishedPort,
      error,
    }));
    return portErrors(this.#wanted, listeners);
  }

  close(): void {
    for (const { binding } of this.#listeners.values()) binding.close();
    this.#listeners.clear();
    this.#wanted = [];
  }

  #open(at: ListenAddress): Binding {
    const { publishedPort, host = this.#options.host } = at;
    const { clock, sockets, onConnection, onChange } = this.#options;
    const server = createServer(SOCKET_OPTIONS, (socket) => {
      onConnection(socket, publishedPort);
    });
    return new Binding({
      server,
      host,
      port: publishedPort,
      clock,
      sockets,
      name: `tcp ${listenName(at)}`,
      onChange,
    });
  }
}
