/** One message of a container's log, as the Engine keeps it: a line, or a piece of a very long one. */
export interface LogMessage {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339, UTC, always nine digits: order of time is order of text. */
  readonly timestamp: string;
  /** `key=value,…` as the log driver added them; empty without any. */
  readonly details: string;
  readonly line: Buffer;
}

/** Takes the bytes of `GET /containers/{id}/logs?timestamps=1&details=1` apart. Throws on what is no log. */
export interface LogParser {
  push(chunk: Buffer): void;
  /** No more bytes come. */
  end(): void;
  /** The next whole message; undefined until more bytes come. */
  next(): LogMessage | undefined;
}

const HEADER = 8;
/** A message of the Engine has at most 16 KiB of text and its details; what is much longer is no frame. */
const LONGEST_FRAME = 1024 * 1024;
const SPACE = 0x20;
const LINE_END = 0x0a;
/** Text of one message: the Engine cuts longer lines into such pieces. */
const LONGEST_TEXT = 16 * 1024;
const TIMESTAMP_LENGTH = 30;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

/** Bytes of which a part was used up. */
class Bytes {
  #bytes: Buffer = Buffer.alloc(0);
  #used = 0;

  /** What is left starts here. */
  get start(): number {
    return this.#used;
  }

  /** Its part before `start` was used up. */
  get whole(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#bytes.length - this.#used;
  }

  add(chunk: Buffer): void {
    this.#bytes = this.length === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#used), chunk]);
    this.#used = 0;
  }

  drop(count: number): void {
    this.#used += count;
  }
}

/** The log of a container without a terminal: frames of 8 header bytes, one message each. */
export class FrameParser implements LogParser {
  readonly #bytes = new Bytes();

  push(chunk: Buffer): void {
    this.#bytes.add(chunk);
  }

  end(): void {
    // A frame that was cut short is no message.
  }

  next(): LogMessage | undefined {
    const { whole, start, length: left } = this.#bytes;
    if (left < HEADER) return undefined;
    const length = whole.readUInt32BE(start + 4);
    if (length > LONGEST_FRAME) throw new Error(`the log of the container is damaged: a frame of ${length} bytes`);
    if (left < HEADER + length) return undefined;
    const [from, to] = [start + HEADER, start + HEADER + length];
    const kind = whole[start];
    this.#bytes.drop(HEADER + length);
    // The Engine's own word within a log: it cannot read on.
    if (kind === 3) throw new Error(whole.toString('utf8', from, to).trim());
    return messageOf(whole, from, to, kind === 2 ? 'stderr' : 'stdout');
  }
}

/** The log of a container with a terminal: text as it is, one message a line. */
export class TerminalParser implements LogParser {
  readonly #bytes = new Bytes();
  #isEnded = false;

  push(chunk: Buffer): void {
    this.#bytes.add(chunk);
  }

  end(): void {
    this.#isEnded = true;
  }

  next(): LogMessage | undefined {
    const { whole, start, length } = this.#bytes;
    const rest = whole.subarray(start);
    const text = textStart(rest);
    if (text === undefined) {
      if (length > LONGEST_FRAME) throw new Error('the log of the container is damaged: a line without a time');
      return undefined;
    }
    const lineEnd = rest.subarray(text, text + LONGEST_TEXT).indexOf(LINE_END);
    // The last line of a log may lack its end.
    if (lineEnd < 0 && length < text + LONGEST_TEXT && !this.#isEnded) return undefined;
    const end = lineEnd < 0 ? Math.min(text + LONGEST_TEXT, length) : text + lineEnd + 1;
    this.#bytes.drop(end);
    return messageOf(whole, start, start + end, 'stdout');
  }
}

/** Behind time and details. */
function textStart(bytes: Buffer): number | undefined {
  const time = bytes.indexOf(SPACE);
  const details = time < 0 ? -1 : bytes.indexOf(SPACE, time + 1);
  return details < 0 ? undefined : details + 1;
}

/** Part of `bytes`: the time, a space, details, a space, the line. */
function messageOf(bytes: Buffer, from: number, to: number, stream: LogMessage['stream']): LogMessage {
  const timeEnd = from + TIMESTAMP_LENGTH;
  const timestamp = bytes.toString('latin1', from, Math.min(timeEnd, to));
  if (!TIMESTAMP.test(timestamp) || bytes[timeEnd] !== SPACE)
    throw new Error('the log of the container is damaged: a line without a time');
  let detailsEnd = timeEnd + 1;
  while (detailsEnd < to && bytes[detailsEnd] !== SPACE) detailsEnd += 1;
  const details = detailsEnd === timeEnd + 1 ? '' : bytes.toString('utf8', timeEnd + 1, detailsEnd);
  return { stream, timestamp, details, line: bytes.subarray(Math.min(detailsEnd + 1, to), to) };
}
