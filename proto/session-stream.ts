import { BaleError } from '../core/errors.js';
import type { SessionStream } from './cluster-peer.js';

/** Messages that wait to be sent before the peer is taken for one that does not read. */
const MOST_UNSENT = 512;

/** The gRPC call under a session stream. */
export interface SessionTransport<Wire> {
  write(wire: Wire): void;
  /** Messages written and not yet taken by the connection. */
  unsent(): number;
  /** Ends this side: in order, or with the error as the reason. */
  end(error: Error | undefined): void;
}

/**
 * One end of a session over any transport: queues, decodes, ends once.
 *
 * Invariants: after the end no listener of messages is called; the listener of the end is called
 * exactly once, also when it is registered afterwards; nothing a peer sends makes this throw.
 */
export class WireSession<Out, In, WireOut, WireIn> implements SessionStream<Out, In> {
  readonly #transport: SessionTransport<WireOut>;
  readonly #codec: { readonly write: (message: Out) => WireOut; readonly read: (wire: WireIn) => In };
  readonly #listeners: ((message: In) => void)[] = [];
  readonly #endListeners: ((error?: Error) => void)[] = [];
  /** Messages that came before the first listener. */
  #early: In[] = [];
  #end: { readonly error: Error | undefined } | undefined;

  constructor(
    transport: SessionTransport<WireOut>,
    codec: { readonly write: (message: Out) => WireOut; readonly read: (wire: WireIn) => In },
  ) {
    this.#transport = transport;
    this.#codec = codec;
  }

  send(message: Out): void {
    if (this.#end !== undefined) return;
    this.#transport.write(this.#codec.write(message));
    if (this.#transport.unsent() <= MOST_UNSENT) return;
    this.end(
      new BaleError(`the peer does not read its session: ${MOST_UNSENT} messages wait for it`, {
        kind: 'unavailable',
        code: 'BALE_SESSION_STUCK',
      }),
    );
  }

  onMessage(listener: (message: In) => void): void {
    this.#listeners.push(listener);
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.#deliver(message);
  }

  onEnd(listener: (error?: Error) => void): void {
    if (this.#end === undefined) this.#endListeners.push(listener);
    else listener(this.#end.error);
  }

  end(error?: Error): void {
    if (this.#end !== undefined) return;
    // First, since ending the transport may tell of its end on the way.
    this.#end = { error };
    this.#transport.end(error);
    this.#tell(error);
  }

  /** The transport got a message. */
  receive(wire: WireIn): void {
    if (this.#end !== undefined) return;
    try {
      const message = this.#codec.read(wire);
      if (this.#listeners.length === 0) this.#early.push(message);
      else this.#deliver(message);
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The transport ended, by the peer or by a fault. */
  finish(error: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#tell(error);
  }

  #tell(error: Error | undefined): void {
    for (const listener of this.#endListeners) listener(error);
  }

  #deliver(message: In): void {
    for (const listener of this.#listeners) {
      if (this.#end === undefined) listener(message);
    }
  }
}
