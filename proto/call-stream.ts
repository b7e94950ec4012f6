import { Duplex } from 'node:stream';
import { BaleError } from '../core/errors.js';

/** Bytes that a side may send before the other has read any of them: what a reader that is slow costs. */
const WINDOW = 64 * 1024;
/** The most bytes of one message. */
const LARGEST_MESSAGE = 16 * 1024;

export interface BytesMessage {
  readonly data?: Uint8Array;
  /** Nothing more comes in this direction. */
  readonly end?: boolean;
  /** The receiver has read so many bytes more: as many may follow. */
  readonly credit?: number;
}

/** The gRPC call under a stream of bytes. */
export interface ByteCall {
  send(message: BytesMessage): void;
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
 * Back-pressure is by credit in band: gRPC would keep many more messages before it holds back a writer,
 * and its own hold would keep the end of a stream waiting behind data that nobody takes.
 *
 * Invariants: no side has more than a window of bytes on the way to a reader; a direction that ended in
 * order has said so in band, and any other end of the call destroys the stream with an error, so that what
 * was cut short never looks complete.
 */
export class CallStream extends Duplex {
  readonly #call: ByteCall;
  /** Bytes that may be sent. */
  #credit = WINDOW;
  #pending: { readonly bytes: Buffer; readonly done: Done } | undefined;
  /** Bytes received for which no credit was given back. */
  #unacknowledged = 0;
  #sentEnd = false;
  #receivedEnd = false;
  /** The call ended before its time: there is nothing left to abort. */
  #over = false;

  constructor(call: ByteCall) {
    super({ allowHalfOpen: true, readableHighWaterMark: WINDOW, writableHighWaterMark: LARGEST_MESSAGE });
    this.#call = call;
  }

  /** The call got a message. */
  receive({ data = new Uint8Array(), end = false, credit = 0 }: BytesMessage): void {
    if (this.destroyed) return;
    if (credit > 0) {
      this.#credit += credit;
      this.#flush();
    }
    if (this.#receivedEnd) return;
    this.#unacknowledged += data.length;
    if (this.#unacknowledged > WINDOW) {
      this.destroy(windowExceeded());
      return;
    }
    if (data.length > 0) this.push(data);
    // Who listens for data has it by now.
    this.#acknowledge();
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

  /** All reading that is not told by `data` at once comes by here, flowing streams included. */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#acknowledge();
    return chunk;
  }

  /** Nothing to do: what comes is pushed. Node calls it before it hands data out, too early to count what was read. */
  override _read(): void {
    return;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#pending = { bytes: chunk, done };
    this.#flush();
  }

  /** Small writes, such as the parts of a chunked answer, travel together. */
  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#pending = { bytes: Buffer.concat(chunks.map(({ chunk }) => chunk)), done };
    this.#flush();
  }

  override _final(done: Done): void {
    this.#sentEnd = true;
    this.#call.send({ end: true });
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#pending = undefined;
    if (this.#sentEnd && this.#receivedEnd) this.#call.finish();
    else if (!this.#over) this.#call.abort(error);
    done(error);
  }

  /** Gives credit for what was read, in large pieces. */
  #acknowledge(): void {
    const read = this.#unacknowledged - this.readableLength;
    if (this.#receivedEnd || this.destroyed || read < WINDOW / 2) return;
    this.#unacknowledged -= read;
    this.#call.send({ credit: read });
  }

  /** Sends as much as there is credit for. */
  #flush(): void {
    if (this.#pending === undefined) return;
    const { bytes, done } = this.#pending;
    let from = 0;
    while (from < bytes.length && this.#credit > 0) {
      const data = bytes.subarray(from, from + Math.min(LARGEST_MESSAGE, this.#credit));
      from += data.length;
      this.#credit -= data.length;
      this.#call.send({ data });
    }
    this.#pending = from < bytes.length ? { bytes: bytes.subarray(from), done } : undefined;
    if (this.#pending === undefined) done();
  }
}

export const streamBroken = (): BaleError =>
  new BaleError('the stream broke: the other side is gone', { kind: 'unavailable', code: 'BALE_STREAM_BROKEN' });

const windowExceeded = (): BaleError =>
  new BaleError(`the stream broke: the other side sent more than ${WINDOW} bytes that were not asked for`, {
    kind: 'invalid',
    code: 'BALE_STREAM_BROKEN',
  });
