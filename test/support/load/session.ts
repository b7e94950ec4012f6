import type { Socket } from 'node:net';
import { PATIENCE } from './load-types.js';

/** How messages stand on the wire. */
export interface Codec {
  encode(text: string): Buffer;
  /** The first whole message and how many bytes it took; undefined while it is incomplete. */
  decode(bytes: Buffer): { readonly text: string; readonly size: number } | undefined;
  /** Sent before the client ends the session. */
  readonly goodbye: Buffer;
}

/** A connection on which one message at a time is sent and its echo awaited. */
export class Session {
  /** The replica that serves it. */
  replica = '?';
  /** Called when the other side ends the session while nobody waits for a message. */
  onCut: (reason: string) => void = () => undefined;
  readonly #socket: Socket;
  readonly #codec: Codec;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve(text: string): void; reject(error: Error): void } | undefined;
  /** Why it is over; undefined while it is open. */
  #over: string | undefined;

  constructor(socket: Socket, codec: Codec) {
    this.#socket = socket;
    this.#codec = codec;
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#deliver();
    });
    socket.on('error', (error) => {
      this.#end(error.message);
    });
    socket.on('end', () => {
      this.#end('ended by the other side');
    });
    socket.on('close', () => {
      this.#end('closed');
    });
  }

  get isOpen(): boolean {
    return this.#over === undefined;
  }

  receive(): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(`no message within ${PATIENCE} ms`);
      }, PATIENCE);
      this.#waiting = {
        resolve: (text) => {
          clearTimeout(timer);
          resolve(text);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      if (this.#over !== undefined) this.#fail(this.#over);
      else this.#deliver();
    });
  }

  /** Fails unless what comes back is what was sent. */
  async echo(text: string): Promise<void> {
    this.#socket.write(this.#codec.encode(text));
    const echoed = await this.receive();
    if (echoed !== text) throw new Error(`sent "${text}" to ${this.replica}, got "${echoed.slice(0, 80)}"`);
  }

  close(): void {
    this.#over ??= 'closed by the client';
    this.#socket.end(this.#codec.goodbye);
    // The other side has to end too; one that does not shall not keep the socket.
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE);
    this.#socket.once('close', () => {
      clearTimeout(timer);
    });
    this.#socket.resume();
  }

  #deliver(): void {
    if (this.#waiting === undefined) return;
    const message = this.#codec.decode(this.#received);
    if (message === undefined) return;
    this.#received = this.#received.subarray(message.size);
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(message.text);
  }

  #end(reason: string): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#socket.destroy();
    if (this.#waiting === undefined) this.onCut(reason);
    else this.#fail(reason);
  }

  #fail(reason: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new Error(`session with ${this.replica}: ${reason}`));
  }
}
