import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { formatHostPort } from '../../core/address.js';
import { backoffDelay } from '../../core/backoff.js';
import type { Clock } from '../../core/clock.js';
import { BIND_RETRY, bindCause } from './binding.js';
import { MOST_WAITING_BYTES } from './datagram-link.js';

/** Bytes of datagrams that may wait to be read; the kernel allows less by default. */
const RECEIVE_BUFFER = 1024 * 1024;

export interface UdpBindingOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly onDatagram: (datagram: Buffer, client: RemoteInfo) => void;
  /** Called when `error` changed. */
  readonly onChange: () => void;
}

/**
 * Keeps a socket bound to one address for the datagrams of clients: a failure is told with its cause
 * and tried again for ever.
 */
export class UdpBinding {
  readonly #options: UdpBindingOptions;
  #socket: Socket | undefined;
  #error: string | undefined;
  #failures = 0;
  #closed = false;
  #cancelRetry: () => void = () => undefined;
  /** Resolves when the first attempt has succeeded or failed. */
  readonly attempted: Promise<void>;

  /** `adopted` is a socket that is bound already, handed over by another process. */
  constructor(options: UdpBindingOptions, adopted?: Socket) {
    this.#options = options;
    if (adopted === undefined) {
      this.attempted = new Promise((resolve) => {
        this.#bind(resolve);
      });
    } else {
      this.#use(adopted);
      this.attempted = Promise.resolve();
    }
  }

  /** Why it is not bound, as the Engine words it; undefined while it is. */
  get error(): string | undefined {
    return this.#error;
  }

  /** The socket while it is bound, for a process that takes over. This one goes on with it until `close`. */
  get socket(): Socket | undefined {
    return this.#socket;
  }

  /** A datagram to a client; dropped when too much waits to be sent. */
  send(datagram: Buffer, address: string, port: number): void {
    const socket = this.#socket;
    if (socket === undefined || socket.getSendQueueSize() > MOST_WAITING_BYTES) return;
    // A client that cannot be reached loses its own datagrams only.
    socket.send(datagram, port, address, () => undefined);
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #bind(attempted: () => void): void {
    const { host, port, clock } = this.#options;
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER });
    const onError = (error: Error): void => {
      socket.close();
      const delay = backoffDelay(BIND_RETRY, this.#failures);
      this.#failures += 1;
      this.#cancelRetry = clock.schedule(delay, () => {
        if (!this.#closed) this.#bind(() => undefined);
      });
      this.#set(`listen udp ${formatHostPort({ host, port })}: ${bindCause(error)}`);
      attempted();
    };
    socket.once('error', onError);
    // Exclusive: another process gets it by being handed it, not by the cluster module's sharing.
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', onError);
      if (this.#closed) socket.close();
      else this.#use(socket);
      this.#failures = 0;
      this.#set(undefined);
      attempted();
    });
  }

  #use(socket: Socket): void {
    // An error of a single datagram ends nothing.
    socket.on('error', () => undefined);
    socket.on('message', this.#options.onDatagram);
    this.#socket = socket;
  }

  #set(error: string | undefined): void {
    if (error === this.#error) return;
    this.#error = error;
    this.#options.onChange();
  }
}
