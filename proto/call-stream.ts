import { Duplex } from 'node:stream';
import { BaleError } from '../core/errors.js';

/**
 * The most bytes of one message. The transport keeps up to 16 messages that nobody has read yet, so this
 * also bounds what a slow reader costs.
 */
const LARGEST_MESSAGE = 16 * 1024;

export interface BytesMessage {
  readonly data?: Uint8Array;
  /** Nothing more comes in this direction. */
  readonly end?: boolean;
}

/** The gRPC call under a stream of bytes. */
export interface ByteCall {
  /** `sent` is called once the connection has taken the message: a reader that is slow delays it. */
  send(message: BytesMessage, sent: (error?: Error | null) => void): void;
  pause(): void;
  resume(): void;
  /** Both directions have ended in order. */
  finish(): void;
  /** Ends both directions at once. */
  abort(error: Error | null): void;
}

type Done = (error?: Error | null) => void;

/**
 * A stream of bytes over one gRPC call, the same at both ends. Each direction has back-pressure and an end
 * of its own, as a TCP connection has.
 *
 * Invariant: a direction that ended in order has said so in band. Any other end of the call destroys the
 * stream with an error, so that what was cut short never looks complete.
 */
export class CallStream extends Duplex {
  readonly #call: ByteCall;
  #sentEnd = false;
  #receivedEnd = false;
  /** The call ended before its time: there is nothing left to abort. */
  #over = false;

  constructor(call: ByteCall) {
    super({ allowHalfOpen: true });
    this.#call = call;
  }

  /** The call got a message. */
  receive({ data = new Uint8Array(), end = false }: BytesMessage): void {
    if (this.destroyed || this.#receivedEnd) return;
    if (data.length > 0 && !this.push(data)) this.#call.pause();
    if (!end) return;
    this.#receivedEnd = true;
    this.push(null);
  }

  /** The call is over: by the peer, or by a fault. */
  callEnded(error: Error | undefined): void {
    // In order: what is left to read is read first, and then this side finishes too.
    if (this.#sentEnd && this.#receivedEnd) return;
    this.#over = true;
    this.destroy(error ?? streamBroken());
  }

  override _read(): void {
    if (!this.#receivedEnd) this.#call.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send(chunk, 0, done);
  }

  /** Small writes, such as the parts of a chunked answer, travel together. */
  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), 0, done);
  }

  override _final(done: Done): void {
    this.#call.send({ end: true }, (error) => {
      this.#sentEnd = error === undefined || error === null;
      done(error);
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.#sentEnd && this.#receivedEnd) this.#call.finish();
    else if (!this.#over) this.#call.abort(error);
    done(error);
  }

  #send(bytes: Buffer, from: number, done: Done): void {
    const to = Math.min(from + LARGEST_MESSAGE, bytes.length);
    this.#call.send({ data: bytes.subarray(from, to) }, (error) => {
      if ((error !== undefined && error !== null) || to === bytes.length) done(error);
      else this.#send(bytes, to, done);
    });
  }
}

export const streamBroken = (): BaleError =>
  new BaleError('the stream broke: the other side is gone', { kind: 'unavailable', code: 'BALE_STREAM_BROKEN' });
