import { request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../core/clock.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { NodeStreams } from '../streams/node-streams.js';
import type { LogContext } from './log-format.js';
import type { LogOptions } from './log-options.js';
import { FrameParser, TerminalParser, type LogMessage, type LogParser } from './log-parser.js';
import type { TaskLog } from './log-tasks.js';

/** An Engine that takes longer to begin its answer does not answer, ms. */
const ANSWER_PATIENCE = 10_000;

/** How the reading of a log ended. */
export type LogEnd =
  | { readonly kind: 'complete' }
  /** The Engine refused, with this text: trying again does not help. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  /** It could not be reached, or broke off. */
  | { readonly kind: 'broken'; readonly error: Error };

export interface LogSourceOptions {
  readonly log: TaskLog;
  readonly options: LogOptions;
  readonly streams: NodeStreams;
  readonly clock: Clock;
  /** There may be a line now, or the log was opened, or it ended. */
  readonly onChange: (source: LogSource) => void;
}

/**
 * The log of one task, read from the Engine of its node one message at a time. What is not asked for
 * stays with the Engine: this holds one chunk, the connection its window.
 */
export class LogSource {
  readonly log: TaskLog;
  readonly context: LogContext;
  /** The next message. */
  head: LogMessage | undefined;
  /** When the bytes of the head came, ms since the epoch. */
  arrivedAt = 0;
  /** Of the last message that was taken. */
  lastTimestamp: string | undefined;
  /** Since when there is no message at hand, ms since the epoch. */
  quietSince = 0;
  readonly #options: LogSourceOptions;
  readonly #ending = new AbortController();
  readonly #parser: LogParser;
  #stream: Duplex | undefined;
  #answer: IncomingMessage | undefined;
  #end: LogEnd | undefined;

  constructor(options: LogSourceOptions) {
    const { task, nodeId } = options.log;
    this.log = options.log;
    this.context = { nodeId, serviceId: task.serviceId, taskId: task.id };
    this.#options = options;
    this.#parser = task.spec.ContainerSpec.TTY === true ? new TerminalParser() : new FrameParser();
    void this.#open();
  }

  get isOpen(): boolean {
    return this.#answer !== undefined;
  }

  /** Set when there is no message left and none will come. */
  get end(): LogEnd | undefined {
    return this.head === undefined ? this.#end : undefined;
  }

  /** Takes the head, if there is one, and makes the next message the head. */
  advance(): void {
    if (this.head !== undefined) this.lastTimestamp = this.head.timestamp;
    this.head = undefined;
    try {
      this.#read();
    } catch (error) {
      // What the Engine says within a log, or what is none.
      this.#finish({ kind: 'refused', status: 500, message: errorMessage(error) });
    }
    if (this.head === undefined) this.quietSince = this.#options.clock.now();
  }

  close(): void {
    this.#ending.abort();
    this.#stream?.destroy();
  }

  #read(): void {
    for (;;) {
      this.head = this.#parser.next();
      if (this.head !== undefined) return;
      const chunk: unknown = this.#answer?.read();
      if (!Buffer.isBuffer(chunk)) return;
      this.arrivedAt = this.#options.clock.now();
      this.#parser.push(chunk);
    }
  }

  /** Never rejects. */
  async #open(): Promise<void> {
    const { streams, onChange } = this.#options;
    try {
      this.#stream = await streams.open(this.log.nodeId, this.#ending.signal);
      // The request tells of the same.
      this.#stream.on('error', () => undefined);
      if (this.#ending.signal.aborted) {
        // Closed in the very turn in which the stream came.
        this.#stream.destroy();
        return;
      }
      const answer = await this.#ask(this.#stream);
      if (answer.statusCode !== 200) {
        this.#finish({ kind: 'refused', status: answer.statusCode ?? 0, message: await refusalOf(answer) });
        return;
      }
      answer.on('readable', () => {
        onChange(this);
      });
      answer.once('end', () => {
        this.#parser.end();
        this.#finish({ kind: 'complete' });
      });
      answer.once('error', (error) => {
        this.#finish({ kind: 'broken', error: this.#stream?.errored ?? error });
      });
      this.#answer = answer;
      onChange(this);
    } catch (error) {
      this.#finish({ kind: 'broken', error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  #ask(stream: Duplex): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const call = request({ createConnection: () => stream, path: this.#path(), headers: { Connection: 'close' } });
      const cancel = this.#options.clock.schedule(ANSWER_PATIENCE, () => {
        stream.destroy(notAnswered());
      });
      call.once('response', (answer) => {
        cancel();
        resolve(answer);
      });
      call.on('error', (error) => {
        cancel();
        reject(stream.errored ?? error);
      });
      call.end();
    });
  }

  #path(): string {
    const { follow, stdout, stderr, since, until, tail } = this.#options.options;
    const query = new URLSearchParams({ timestamps: '1', details: '1', tail: String(tail) });
    if (follow) query.set('follow', '1');
    if (stdout) query.set('stdout', '1');
    if (stderr) query.set('stderr', '1');
    if (since !== undefined) query.set('since', since);
    if (until !== undefined) query.set('until', until);
    return `/containers/${encodeURIComponent(this.log.container)}/logs?${query.toString()}`;
  }

  #finish(end: LogEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (end.kind !== 'complete') this.#stream?.destroy();
    if (!this.#ending.signal.aborted) this.#options.onChange(this);
  }
}

async function refusalOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer) text += String(piece);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'message' in body) return String(body.message).trim();
  } catch {
    // Not the Engine's form; as it is, then.
  }
  return text.trim().slice(0, 500);
}

const notAnswered = (): BaleError =>
  new BaleError(`the Docker Engine gave no answer within ${ANSWER_PATIENCE / 1000} s`, {
    kind: 'unavailable',
    code: 'BALE_ENGINE_UNAVAILABLE',
  });
