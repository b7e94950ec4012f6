import { request, type IncomingMessage } from 'node:http';

const HEADER = 8;
/** As the Engine writes it: `2026-01-01T00:00:00.000000000Z`. */
const TIMESTAMP = 30;

export interface ReaderOptions {
  readonly socket: string;
  readonly service: string;
  readonly follow: boolean;
  /** Lines of each task that were written before; absent: all of them. */
  readonly tail?: number;
  /** Bytes a second that it takes; absent: as fast as they come. */
  readonly bytesPerSecond?: number;
  /** Asks for the time of each line and notes how long ago it was. */
  readonly delays?: boolean;
}

/** Reads the log of a service as docker's CLI asks for it, and counts its frames: one line each. */
export class LogReader {
  readonly #options: ReaderOptions;
  readonly #answer: IncomingMessage;
  /** Resolves at the end of the log. */
  readonly ended: Promise<void>;
  lines = 0;
  /** Of frames, their headers included. */
  bytes = 0;
  /** When bytes came last, as `performance.now` has it. */
  lastAt = performance.now();
  /** From the time that the Engine gave a line until it was read, ms. */
  readonly delays: number[] = [];
  #rest: Buffer = Buffer.alloc(0);

  private constructor(options: ReaderOptions, answer: IncomingMessage) {
    this.#options = options;
    this.#answer = answer;
    this.ended = new Promise((resolve) => answer.once('close', resolve));
    answer.on('error', () => undefined);
    if (options.bytesPerSecond === undefined) {
      answer.on('data', (chunk: Buffer) => {
        this.#take(chunk);
      });
    } else this.#sip(options.bytesPerSecond);
  }

  /** Resolves once the log has begun. */
  static open(options: ReaderOptions): Promise<LogReader> {
    const { socket, service, follow, tail, delays = false } = options;
    const query = new URLSearchParams({ details: '1', stdout: '1', stderr: '1', tail: String(tail ?? 'all') });
    if (follow) query.set('follow', '1');
    if (delays) query.set('timestamps', '1');
    return new Promise((resolve, reject) => {
      const path = `/v1.41/services/${service}/logs?${query.toString()}`;
      const call = request({ socketPath: socket, path, agent: false }, (answer) => {
        if (answer.statusCode === 200) resolve(new LogReader(options, answer));
        else reject(new Error(`${path}: status ${answer.statusCode ?? 0}`));
      });
      call.on('error', reject);
      call.end();
    });
  }

  close(): void {
    this.#answer.destroy();
  }

  /** Takes so many bytes each tenth of a second and leaves the others where they are. */
  #sip(bytesPerSecond: number): void {
    const timer = setInterval(() => {
      const chunk: unknown = this.#answer.read(Math.ceil(bytesPerSecond / 10));
      if (Buffer.isBuffer(chunk)) this.#take(chunk);
    }, 100);
    void this.ended.then(() => {
      clearInterval(timer);
    });
    // Paused: without it nothing is read at all.
    this.#answer.on('readable', () => undefined);
  }

  #take(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.lastAt = performance.now();
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length >= at + HEADER) {
      const end = at + HEADER + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      this.lines += 1;
      if (this.#options.delays === true) {
        const time = bytes.toString('latin1', at + HEADER, at + HEADER + TIMESTAMP);
        this.delays.push(Date.now() - Date.parse(time));
      }
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}
