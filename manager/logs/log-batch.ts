import { detailsText, HEADER, KINDS, type LogContext, type LogForm } from './log-format.js';
import type { LogMessage } from './log-parser.js';

/** Lines as a client gets them, written one behind the other: what a line costs is the copying of its bytes. */
export class LogBatch {
  readonly #form: LogForm;
  #bytes: Buffer;
  #length = 0;
  /** What comes before a line to which the log driver added nothing: the same for all lines of a task. */
  readonly #prefixes = new WeakMap<LogContext, Buffer>();

  /** @param size bytes that it holds without making more room */
  constructor(form: LogForm, size: number) {
    this.#form = form;
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Bytes. */
  get length(): number {
    return this.#length;
  }

  add(message: LogMessage, context: LogContext): void {
    const { multiplexed, options } = this.#form;
    const { line } = message;
    const time = options.timestamps ? `${message.timestamp} ` : '';
    const details = options.details ? this.#prefix(message.details, context) : undefined;
    // A time is ASCII, so it has as many bytes as letters.
    const length = time.length + (details?.length ?? 0) + line.length;
    this.#reserve(HEADER + length);
    const bytes = this.#bytes;
    let at = this.#length;
    if (multiplexed) {
      bytes.writeUInt32BE(KINDS[message.stream] << 24, at);
      bytes.writeUInt32BE(length, at + 4);
      at += HEADER;
    }
    if (time !== '') at += bytes.write(time, at, 'latin1');
    if (details !== undefined) at += details.copy(bytes, at);
    this.#length = at + line.copy(bytes, at);
  }

  /** All of it; the batch is empty then. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #prefix(details: string, context: LogContext): Buffer {
    if (details !== '') return Buffer.from(`${detailsText(details, context)} `);
    const known = this.#prefixes.get(context);
    if (known !== undefined) return known;
    const made = Buffer.from(`${detailsText('', context)} `);
    this.#prefixes.set(context, made);
    return made;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(needed);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
