import type { Readable } from 'node:stream';
import type { LogQuery } from './log-options.js';

/** Logs of tasks, wherever their containers are. */
export interface Logs {
  /**
   * The logs of all tasks of a service, merged in order of time. Throws what a look-up throws, and
   * BALE_LOGS_INVALID. Destroy the stream to stop reading.
   */
  ofService(id: string, query: LogQuery): LogStream;
  ofTask(id: string, query: LogQuery): LogStream;
}

export interface LogStream {
  /** In frames of 8 header bytes; raw otherwise, when the service has a terminal. */
  readonly multiplexed: boolean;
  readonly body: Readable;
}
