import { Readable } from 'node:stream';
import type { Clock } from '../../core/clock.js';
import { Heap } from '../scheduler/heap.js';
import { LogBatch } from './log-batch.js';
import type { LogContext, LogForm } from './log-format.js';
import type { LogMessage } from './log-parser.js';
import type { LogSource } from './log-source.js';
import { judgeHead, REORDERING_WINDOW } from './merge-rule.js';

/** Bytes that wait for a client at most, beside what each source holds. */
const BUFFER = 64 * 1024;
/** Bytes of a line with all that is before it, but for details of unusual length. */
const LARGEST_LINE = 17 * 1024;

export interface LogMergeOptions {
  readonly form: LogForm;
  readonly follow: boolean;
  readonly clock: Clock;
  /** A source has no message left and none will come. */
  readonly onEnd: (source: LogSource) => void;
}

/**
 * The logs of several tasks as one stream of bytes, in order of time. It takes a line from a source only
 * when the client has room for it, so a slow client holds back its own sources and nobody else.
 *
 * Invariant: each source that was added and has not ended is in exactly one of `#heads` (its next line is
 * at hand) and `#quiet`.
 */
export class LogMerge extends Readable {
  readonly #options: LogMergeOptions;
  /** Empty but for while lines are taken. */
  readonly #batch: LogBatch;
  readonly #heads = new Heap<LogSource>([], byTime);
  readonly #quiet = new Set<LogSource>();
  /** Of the quiet ones: those that may still have earlier lines than others, since following has just begun. */
  readonly #starting = new Set<LogSource>();
  /** Quiet sources with news. */
  readonly #news = new Set<LogSource>();
  /** The client has room. */
  #wanted = false;
  #cancelTimer: () => void = () => undefined;
  #pumping = false;
  /** What comes behind the last line; set when no further source will be added. */
  #epilogue: (() => Buffer | undefined) | undefined;
  #isComplete = false;

  constructor(options: LogMergeOptions) {
    super({ highWaterMark: BUFFER });
    this.#options = options;
    // Room for the line that fills it, too.
    this.#batch = new LogBatch(options.form, BUFFER + LARGEST_LINE);
  }

  /** @param isStarting other lines wait for it to show its first one, within limits */
  add(source: LogSource, isStarting: boolean): void {
    this.#quiet.add(source);
    if (isStarting) this.#starting.add(source);
  }

  /** A source has news. */
  changed(source: LogSource): void {
    if (!this.#quiet.has(source)) return;
    this.#news.add(source);
    this.#pump();
  }

  /** A line of ours, beside the logs. */
  say(message: LogMessage, context: LogContext): void {
    if (this.destroyed) return;
    this.#batch.add(message, context);
    // Else it goes with the lines that are being taken just now.
    if (!this.#pumping) this.push(this.#batch.take());
  }

  /** No further source will be added: the stream ends behind the last line of the present ones. */
  complete(epilogue: () => Buffer | undefined): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#epilogue = epilogue;
    this.#pump();
  }

  override _read(): void {
    this.#wanted = true;
    this.#pump();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancelTimer();
    done(error);
  }

  #pump(): void {
    if (this.#pumping || this.destroyed || this.readableEnded) return;
    this.#pumping = true;
    this.#cancelTimer();
    const batch = this.#batch;
    while (this.#wanted) {
      this.#takeNews();
      const isTaken = this.#takeLine();
      if (batch.length >= BUFFER || (!isTaken && batch.length > 0)) this.#wanted = this.push(batch.take());
      if (!isTaken) break;
    }
    this.#pumping = false;
    this.#endWhenDone();
  }

  #takeNews(): void {
    if (this.#news.size === 0) return;
    for (const source of this.#news) {
      this.#news.delete(source);
      source.advance();
      if (source.head !== undefined) {
        this.#quiet.delete(source);
        this.#starting.delete(source);
        this.#heads.add(source);
      } else if (source.end !== undefined) {
        this.#drop(source);
      }
    }
  }

  /** Puts the earliest line into the batch, if it may go. */
  #takeLine(): boolean {
    const source = this.#heads.first;
    if (source?.head === undefined) return false;
    // Every log has shown its next line.
    if (this.#quiet.size > 0 && !this.#mayGo(source.head.timestamp, source.arrivedAt)) return false;
    this.#batch.add(source.head, source.context);
    source.advance();
    if (source.head === undefined) {
      this.#heads.removeFirst();
      this.#quiet.add(source);
      if (source.end !== undefined) this.#drop(source);
    } else {
      this.#heads.lowerFirst();
    }
    return true;
  }

  #mayGo(timestamp: string, arrivedAt: number): boolean {
    const { clock, follow } = this.#options;
    const now = clock.now();
    for (const quiet of this.#starting) {
      // It was opened and has shown nothing for a while: what comes now is new.
      if (quiet.isOpen && quiet.quietSince + REORDERING_WINDOW <= now) this.#starting.delete(quiet);
    }
    const facts = {
      head: { timestamp, arrivedAt },
      follow,
      quiet: this.#quiet.size,
      starting: this.#starting.size,
      now,
    };
    const verdict = judgeHead(facts);
    if (verdict.kind === 'release') return true;
    if (verdict.until !== undefined) this.#wakeAt(Math.min(verdict.until, now + REORDERING_WINDOW), now);
    return false;
  }

  #drop(source: LogSource): void {
    this.#quiet.delete(source);
    this.#starting.delete(source);
    source.close();
    this.#options.onEnd(source);
  }

  #wakeAt(at: number, now: number): void {
    this.#cancelTimer = this.#options.clock.schedule(Math.max(1, at - now), () => {
      this.#pump();
    });
  }

  #endWhenDone(): void {
    if (this.#epilogue === undefined || this.#heads.first !== undefined || this.#quiet.size > 0) return;
    const last = this.#epilogue();
    this.#epilogue = undefined;
    if (last !== undefined) this.push(last);
    this.push(null);
  }
}

function byTime(a: LogSource, b: LogSource): number {
  const left = a.head?.timestamp ?? '';
  const right = b.head?.timestamp ?? '';
  if (left !== right) return left < right ? -1 : 1;
  return a.context.taskId < b.context.taskId ? -1 : 1;
}
