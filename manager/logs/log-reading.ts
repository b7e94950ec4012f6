import type { Readable } from 'node:stream';
import { timestamp, type Clock } from '../../core/clock.js';
import { BaleError, errorMessage } from '../../core/errors.js';
import type { TaskObject } from '../store/objects.js';
import type { Store } from '../store/store-types.js';
import type { NodeStreams } from '../streams/node-streams.js';
import { formatFailure, type LogForm } from './log-format.js';
import { LogMerge } from './log-merge.js';
import { justAfter, type LogOptions } from './log-options.js';
import { LogSource, type LogEnd } from './log-source.js';
import { selectLogs, taskLog, type TaskLog } from './log-tasks.js';

/** A log that broke off while it is followed is opened again this often, ms. */
const RETRY = 2_000;

export interface LogReadingOptions {
  readonly store: Store;
  readonly streams: NodeStreams;
  readonly clock: Clock;
  readonly form: LogForm;
  readonly options: LogOptions;
  /** Whose logs are read; asked again after each commit that may have changed them. */
  readonly tasks: () => readonly TaskObject[];
  /** While it is followed: whether more may come once all present logs have ended. */
  readonly isLasting: () => boolean;
  readonly nameOf: (task: TaskObject) => string;
}

/**
 * Reads the logs of some tasks for one client. Followed, it goes on: tasks that start later join, and logs
 * that broke off are opened again behind the last line that came.
 */
export class LogReading {
  readonly #options: LogReadingOptions;
  readonly #merge: LogMerge;
  /** Tasks whose logs are read, or were read to their end. */
  readonly #seen = new Set<string>();
  readonly #sources = new Set<LogSource>();
  readonly #retries = new Set<() => void>();
  /** Why some logs are missing: told behind the last line. */
  readonly #reasons = new Set<string>();
  /** While following: nodes and tasks whose absence was told, until they are back. */
  readonly #told = new Set<string>();
  #unwatch: () => void = () => undefined;

  constructor(options: LogReadingOptions) {
    this.#options = options;
    const { follow } = options.options;
    this.#merge = new LogMerge({
      form: options.form,
      follow,
      clock: options.clock,
      onEnd: (source) => {
        this.#ended(source);
      },
    });
    this.#merge.once('close', () => {
      this.#close();
    });
    const { logs, reasons } = selectLogs(options.tasks(), options.nameOf);
    for (const log of logs) this.#read(log, options.options, true);
    if (follow) this.#follow();
    else this.#complete(reasons);
  }

  get body(): Readable {
    return this.#merge;
  }

  #complete(reasons: readonly string[]): void {
    for (const reason of reasons) this.#reasons.add(reason);
    this.#merge.complete(() => {
      return this.#reasons.size === 0 ? undefined : formatFailure([...this.#reasons], this.#options.form);
    });
  }

  #follow(): void {
    this.#unwatch = this.#options.store.watch(({ changes }) => {
      if (changes.some(({ table }) => table === 'task' || table === 'service')) this.#join();
    });
    this.#join();
  }

  /** Tasks that have started since: all they wrote is new. */
  #join(): void {
    const { tasks, options, nameOf } = this.#options;
    for (const task of tasks()) {
      if (this.#seen.has(task.id)) continue;
      const log = taskLog(task, nameOf);
      if (log !== undefined) this.#read(log, { ...options, tail: 'all' }, false);
    }
    this.#endWhenOver();
  }

  #read(log: TaskLog, options: LogOptions, isStarting: boolean): void {
    this.#seen.add(log.task.id);
    const { streams, clock } = this.#options;
    const source = new LogSource({
      log,
      options,
      streams,
      clock,
      onChange: (changed) => {
        if (changed.isOpen) this.#opened(changed);
        this.#merge.changed(changed);
      },
    });
    this.#sources.add(source);
    this.#merge.add(source, isStarting);
  }

  /** What kept logs of its node from being read is over. */
  #opened({ log }: LogSource): void {
    this.#told.delete(log.nodeId);
    this.#told.delete(log.task.id);
  }

  #ended(source: LogSource): void {
    this.#sources.delete(source);
    const { end } = source;
    if (end === undefined || end.kind === 'complete' || isNothing(end, source.log)) {
      this.#endWhenOver();
      return;
    }
    if (!this.#options.options.follow) {
      this.#reasons.add(reasonOf(end, source.log));
      return;
    }
    this.#tell(source, end);
    if (end.kind === 'broken') this.#retryLater(source);
    this.#endWhenOver();
  }

  /** Followed logs do not stop for one that is missing: its task says so itself. */
  #tell(source: LogSource, end: Exclude<LogEnd, { kind: 'complete' }>): void {
    const { log, context } = source;
    const missing = isNodeAway(end) ? log.nodeId : log.task.id;
    if (this.#told.has(missing)) return;
    this.#told.add(missing);
    const { clock, options } = this.#options;
    const cause = end.kind === 'broken' ? errorMessage(end.error) : end.message;
    const line = Buffer.from(`bale: the log of this task cannot be read: ${cause}\n`);
    const time = timestamp(clock.now()).replace(/Z$/, '000000Z');
    const stream = options.stderr ? 'stderr' : 'stdout';
    this.#merge.say({ stream, timestamp: time, details: '', line }, context);
  }

  #retryLater({ log, lastTimestamp }: LogSource): void {
    const { clock, options, store } = this.#options;
    const again: LogOptions =
      lastTimestamp === undefined ? options : { ...options, since: justAfter(lastTimestamp), tail: 'all' };
    const cancel = clock.schedule(RETRY, () => {
      this.#retries.delete(cancel);
      // Its row may be gone by now, and its container with it.
      if (store.view.get('task', log.task.id) !== undefined) this.#read(log, again, false);
      else this.#endWhenOver();
    });
    this.#retries.add(cancel);
  }

  #endWhenOver(): void {
    if (!this.#options.options.follow || this.#sources.size > 0 || this.#retries.size > 0) return;
    if (!this.#options.isLasting()) this.#complete([]);
  }

  #close(): void {
    this.#unwatch();
    for (const cancel of this.#retries) cancel();
    for (const source of this.#sources) source.close();
  }
}

/** No container, and none was ever reported: there is no log to miss. */
const isNothing = (end: LogEnd, log: TaskLog): boolean => end.kind === 'refused' && end.status === 404 && !log.isKnown;

const isNodeAway = (end: LogEnd): boolean =>
  end.kind === 'broken' && end.error instanceof BaleError && NODE_AWAY.has(end.error.code);

const NODE_AWAY: ReadonlySet<string> = new Set(['BALE_NODE_DISCONNECTED', 'BALE_STREAM_TIMEOUT']);

/** In SwarmKit's words, where it has some. */
function reasonOf(end: Exclude<LogEnd, { kind: 'complete' }>, { task, nodeId }: TaskLog): string {
  if (end.kind === 'refused') return `task ${task.id}: ${end.message}`;
  return isNodeAway(end) ? `node ${nodeId} is not available` : `task ${task.id}: ${errorMessage(end.error)}`;
}
