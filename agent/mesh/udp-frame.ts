/**
 * What runs through a tunnel of datagrams, both ways: length (2 bytes), kind (1), number of the
 * client's session (4, chosen by the dialling end), then `length` bytes of payload.
 */
export interface UdpFrame {
  readonly kind: UdpFrameKind;
  readonly session: number;
  /** Empty but for a datagram. */
  readonly payload: Buffer;
}

export type UdpFrameKind =
  | 'datagram'
  /** From the serving end: the endpoint refused; the session has ended there. */
  | 'refused'
  /** From the dialling end: the session has ended. */
  | 'close';

const KINDS: readonly UdpFrameKind[] = ['datagram', 'refused', 'close'];
const HEAD = 7;
const NOTHING = Buffer.alloc(0);

export function encodeFrame(kind: UdpFrameKind, session: number, payload: Buffer = NOTHING): Buffer {
  const frame = Buffer.allocUnsafe(HEAD + payload.length);
  frame.writeUInt16BE(payload.length, 0);
  frame.writeUInt8(KINDS.indexOf(kind), 2);
  frame.writeUInt32BE(session, 3);
  payload.copy(frame, HEAD);
  return frame;
}

/** Finds the frames in the bytes of a tunnel, which come in pieces of any size. */
export class UdpFrameReader {
  /** Of a frame that is not whole yet. They are joined once: a frame in many pieces costs no more than in one. */
  #pieces: Buffer[] = [];
  #size = 0;
  /** So many bytes are to be there before there is more to find. */
  #wanted = HEAD;

  /** The frames that are whole with `chunk`; undefined when the bytes are no frames. */
  read(chunk: Buffer): readonly UdpFrame[] | undefined {
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    const frames: UdpFrame[] = [];
    if (this.#size < this.#wanted) return frames;
    let bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    this.#wanted = HEAD;
    while (bytes.length >= HEAD) {
      const kind = KINDS[bytes.readUInt8(2)];
      if (kind === undefined) return undefined;
      const end = HEAD + bytes.readUInt16BE(0);
      if (bytes.length < end) {
        this.#wanted = end;
        break;
      }
      frames.push({ kind, session: bytes.readUInt32BE(3), payload: bytes.subarray(HEAD, end) });
      bytes = bytes.subarray(end);
    }
    this.#pieces = bytes.length === 0 ? [] : [bytes];
    this.#size = bytes.length;
    return frames;
  }
}
