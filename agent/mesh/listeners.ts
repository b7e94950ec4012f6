import { createServer, type Socket } from 'node:net';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { Binding } from './binding.js';
import { SOCKET_OPTIONS } from './byte-stream.js';
import { planListeners } from './listener-plan.js';
import type { SharedSockets } from './shared-sockets.js';

export interface ListenersOptions {
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sockets: SharedSockets;
  readonly onConnection: (socket: Socket, publishedPort: number) => void;
  /** Called when the errors changed. */
  readonly onChange: () => void;
}

/** One listener per published port of this node. */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #bindings = new Map<number, Binding>();

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Resolves when each listener that can be bound is bound. Connections of closed ones live on. */
  async apply(publishedPorts: readonly number[]): Promise<void> {
    for (const action of planListeners([...this.#bindings.keys()], publishedPorts)) {
      switch (action.kind) {
        case 'open':
          this.#bindings.set(action.publishedPort, this.#open(action.publishedPort));
          break;
        case 'close':
          this.#bindings.get(action.publishedPort)?.close();
          this.#bindings.delete(action.publishedPort);
      }
      this.#options.logger.debug(action, 'listener');
    }
    await Promise.all([...this.#bindings.values()].map(({ attempted }) => attempted));
  }

  errors(): readonly { readonly publishedPort: number; readonly error: string }[] {
    return [...this.#bindings].flatMap(([publishedPort, { error }]) =>
      error === undefined ? [] : [{ publishedPort, error }],
    );
  }

  close(): void {
    for (const binding of this.#bindings.values()) binding.close();
    this.#bindings.clear();
  }

  #open(publishedPort: number): Binding {
    const { host, clock, sockets, onConnection, onChange } = this.#options;
    const server = createServer(SOCKET_OPTIONS, (socket) => {
      onConnection(socket, publishedPort);
    });
    return new Binding({ server, host, port: publishedPort, clock, sockets, name: `tcp ${publishedPort}`, onChange });
  }
}
