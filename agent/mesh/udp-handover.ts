import type { Logger } from '../../core/logger.js';
import { MOST_WAITING_BYTES } from './datagram-link.js';
import type { IpcChannel } from './ipc-channel.js';
import type { UdpPorts } from './udp-ports.js';
import { addressOf, type ListenAddress } from './listener-plan.js';
import {
  isTakeoverMessage,
  type UdpHandoverMessage,
  type UdpPassedOn,
  type UdpSuccessor,
  type UdpTakeoverMessage,
} from './udp-succession.js';

export interface UdpHandoverOptions {
  readonly ports: Pick<UdpPorts, 'release' | 'handOver' | 'close'>;
  readonly logger: Logger;
  /** The process that took the ports is gone, and this one was not retired. */
  readonly onReturned: () => void;
}

/**
 * Hands the udp ports to a process that this one started, once that one leads and asks for them.
 *
 * Invariant: a port is served here until the other has said that it reads the socket, so no datagram
 * finds nobody. For an instant both read; what is read here is served here.
 */
export class UdpHandover {
  readonly #options: UdpHandoverOptions;
  /** Those that this process started and that live. */
  readonly #heirs = new Set<IpcChannel>();
  #taker: IpcChannel | undefined;
  #retired = false;

  constructor(options: UdpHandoverOptions) {
    this.#options = options;
  }

  /** Whether another process binds the udp ports now. */
  get isTaken(): boolean {
    return this.#taker !== undefined;
  }

  /** A process that may lead one day. */
  addHeir(channel: IpcChannel): void {
    this.#heirs.add(channel);
    channel.onMessage((message) => {
      if (isTakeoverMessage(message)) this.#onMessage(channel, message);
    });
    channel.onEnd(() => {
      this.#onEnd(channel);
    });
  }

  /** The ports are served on until they are taken; where nobody is left who could, they are closed. */
  retire(): void {
    this.#retired = true;
    if (this.#heirs.size === 0) this.#options.ports.close();
  }

  #onMessage(channel: IpcChannel, message: UdpTakeoverMessage): void {
    const { ports, logger } = this.#options;
    switch (message.kind) {
      case 'take-udp': {
        this.#taker = channel;
        const sockets = ports.release();
        logger.info({ ports: sockets.map(({ publishedPort }) => publishedPort) }, 'udp ports are handed over');
        for (const { socket, ...at } of sockets) {
          channel.send({ kind: 'udp-socket', ...at } satisfies UdpHandoverMessage, socket);
        }
        channel.send({ kind: 'udp-offered' } satisfies UdpHandoverMessage);
        return;
      }
      case 'udp-taken':
        ports.handOver(addressOf(message), successor(channel, addressOf(message)));
    }
  }

  #onEnd(channel: IpcChannel): void {
    const { onReturned } = this.#options;
    this.#heirs.delete(channel);
    const wasTaker = this.#taker === channel;
    if (wasTaker) this.#taker = undefined;
    if (this.#retired) this.retire();
    else if (wasTaker) onReturned();
  }
}

/** Passes on by `channel`; what it cannot take now is dropped, as a network does. */
function successor(channel: IpcChannel, at: ListenAddress): UdpSuccessor {
  let waiting = 0;
  const passOn =
    (kind: UdpPassedOn['kind']): UdpSuccessor['answer'] =>
    (datagram, { address, port }) => {
      if (waiting > MOST_WAITING_BYTES) return;
      const { length } = datagram;
      waiting += length;
      const message: UdpPassedOn = { kind, ...at, address, port, datagram: datagram.toString('base64') };
      channel.send(message, undefined, () => {
        waiting -= length;
      });
    };
  return { answer: passOn('udp-answer'), serve: passOn('udp-datagram') };
}
