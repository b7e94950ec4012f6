import type { IpcChannel, SharedSocket } from '../../agent/mesh/ipc-channel.js';

/** One end of a channel within this process. */
export class LocalChannel implements IpcChannel {
  peer: LocalChannel | undefined;
  readonly #onMessage: ((message: unknown, socket: SharedSocket | undefined) => void)[] = [];
  readonly #onEnd: (() => void)[] = [];

  static pair(): readonly [LocalChannel, LocalChannel] {
    const [one, other] = [new LocalChannel(), new LocalChannel()];
    one.peer = other;
    other.peer = one;
    return [one, other];
  }

  send(message: object, socket?: SharedSocket, done?: () => void): void {
    const { peer } = this;
    if (peer !== undefined) for (const listener of peer.#onMessage) listener(message, socket);
    done?.();
  }

  onMessage(listener: (message: unknown, socket: SharedSocket | undefined) => void): void {
    this.#onMessage.push(listener);
  }

  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  close(): void {
    const { peer } = this;
    this.peer = undefined;
    for (const listener of this.#onEnd) listener();
    if (peer?.peer !== undefined) peer.close();
  }
}
