import type { Duplex } from 'node:stream';
import { BaleError, errorCode, errorMessage } from '../../core/errors.js';
import type { Streams } from '../context.js';
import { pumpFrames, pumpRaw } from './pump.js';
import { sizeTeller } from './size-teller.js';
import { followSize, letGoOfInput, takeKeys, type TerminalSize } from './terminal.js';

export interface SessionOptions {
  /** The process has a terminal: one output, raw. */
  readonly tty: boolean;
  /** Standard input goes to the process; its end is passed on. */
  readonly input: boolean;
  /** Asked for the first size and each new one of this terminal. */
  readonly resize: (size: TerminalSize) => Promise<void>;
}

/**
 * Joins this process's streams to a process in a container until that ends its output. The terminal is
 * given back in any case.
 */
export async function runSession(connection: Duplex, streams: Streams, options: SessionOptions): Promise<void> {
  const { input, output, error } = streams;
  // Input may still be on its way when the process has ended: that is no failure.
  connection.on('error', () => undefined);
  const releaseKeys = options.tty && options.input ? takeKeys(input) : (): void => undefined;
  const endFollowing = options.tty ? followSize(streams, sizeTeller(options.resize)) : undefined;
  if (options.input) input.pipe(connection);
  try {
    if (options.tty) await pumpRaw(connection, output);
    else await pumpFrames(connection, output, error);
  } catch (cause) {
    throw broken(cause);
  } finally {
    input.unpipe(connection);
    releaseKeys();
    endFollowing?.();
    if (options.input) letGoOfInput(input);
    connection.destroy();
  }
}

function broken(cause: unknown): unknown {
  if (cause instanceof BaleError || errorCode(cause) === 'EPIPE') return cause;
  return new BaleError(`the connection to the container broke: ${errorMessage(cause)}`, {
    kind: 'unavailable',
    code: 'BALE_SESSION_LOST',
    cause,
  });
}
