import { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { IpcChannel, SharedSocket } from './ipc-channel.js';
import { addressOf } from './listener-plan.js';
import type { UdpPorts } from './udp-ports.js';
import { isHandoverMessage, type UdpHandoverMessage, type UdpTakeoverMessage } from './udp-succession.js';

/** How long the process before is given to hand over its sockets, ms; then they are bound here as soon as they are free. */
const PATIENCE = 1_000;

export interface UdpTakeoverOptions {
  /** To the process that started this one. */
  readonly parent: IpcChannel | undefined;
  readonly ports: Pick<UdpPorts, 'adopt' | 'answer' | 'serve'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes the udp ports over from the process that started this one, when this one is to lead. */
export class UdpTakeover {
  readonly #options: UdpTakeoverOptions;
  #isOver: boolean;
  #settle: () => void = () => undefined;
  #taken: Promise<void> | undefined;
  #closed = false;

  constructor(options: UdpTakeoverOptions) {
    const { parent } = options;
    this.#options = options;
    this.#isOver = parent === undefined;
    parent?.onMessage((message, socket) => {
      if (isHandoverMessage(message)) this.#onMessage(message, socket);
    });
    parent?.onEnd(() => {
      this.#over();
    });
  }

  /** To be called when this process leads. Resolves when each socket that can be had is served here. */
  take(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#taken ??= new Promise((resolve) => {
      const cancel = this.#options.clock.schedule(PATIENCE, () => {
        this.#over();
      });
      this.#settle = () => {
        cancel();
        resolve();
      };
      this.#tell({ kind: 'take-udp' });
    });
    return this.#taken;
  }

  /** Nothing more is taken, and nothing passed on; the other learns that this process is no heir of it. */
  close(): void {
    this.#closed = true;
    this.#over();
    this.#options.parent?.close();
  }

  #over(): void {
    this.#isOver = true;
    this.#settle();
  }

  #onMessage(message: UdpHandoverMessage, socket: SharedSocket | undefined): void {
    const { ports, logger } = this.#options;
    switch (message.kind) {
      case 'udp-socket':
        if (!(socket instanceof Socket)) return;
        if (this.#closed) {
          socket.close();
          return;
        }
        // In this very turn, else what Node reads meanwhile is lost.
        ports.adopt([{ ...addressOf(message), socket }]);
        logger.debug(addressOf(message), 'udp port taken over');
        this.#tell({ kind: 'udp-taken', ...addressOf(message) });
        return;
      case 'udp-offered':
        this.#over();
        return;
      case 'udp-answer':
        ports.answer(addressOf(message), Buffer.from(message.datagram, 'base64'), message);
        return;
      case 'udp-datagram':
        ports.serve(addressOf(message), Buffer.from(message.datagram, 'base64'), message);
    }
  }

  #tell(message: UdpTakeoverMessage): void {
    this.#options.parent?.send(message);
  }
}
