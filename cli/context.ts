import type { Readable, Writable } from 'node:stream';
import { isAbortError } from '../core/errors.js';
import type { ApiClient } from './client.js';

export const DEFAULT_HOST = 'unix:///run/bale/bale.sock';

/** Standard input, as a command in a container takes it over. */
export type InputStream = Readable & {
  readonly isTTY?: boolean;
  setRawMode?: (raw: boolean) => unknown;
  unref?: () => unknown;
};

/** Standard output; a terminal tells its size, and says `resize` when that changes. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** The streams of this process: bytes, where `print` and `warn` are for text. */
export interface Streams {
  readonly input: InputStream;
  readonly output: OutputStream;
  readonly error: Writable;
}

/** What a command needs of the world. */
export interface Context {
  /** The client for the host that `--host` or BALE_HOST names; loaded on first use so that help is quick. */
  connect(): Promise<ApiClient>;
  /** Writes to standard output. */
  print(text: string): void;
  /** Writes to standard error. */
  warn(text: string): void;
  /** Writes bytes as they are: what a container wrote need not be text. */
  copy(bytes: Uint8Array, to: 'stdout' | 'stderr'): void;
  /** Taken when they are needed: a process that reads its input does not end by itself. */
  streams(): Streams;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal, and how large it is. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  /** Aborts on Ctrl-C, from the moment it is first asked for. */
  readonly signal: AbortSignal;
}

/**
 * To be called before the request whose work goes on by itself: from here on Ctrl-C no longer ends the
 * program, which is left to say what goes on. Throws AbortError when it came already.
 */
export function holdInterrupt({ signal }: Context): void {
  signal.throwIfAborted();
}

/**
 * Runs `action` for each operand, as docker does for `rm A B`: a failure is printed, the others go on,
 * and the exit code says that something failed. After a Ctrl-C that an action noticed none goes on.
 */
export async function forEachOperand(
  context: Context,
  operands: readonly string[],
  action: (operand: string) => Promise<void>,
): Promise<void> {
  let failed = false;
  for (const operand of operands) {
    try {
      await action(operand);
    } catch (error) {
      if (isAbortError(error)) throw error;
      failed = true;
      context.warn(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  if (failed) throw new FailedOperands();
}

/** Everything was already printed; only the exit code is left to say. */
export class FailedOperands extends Error {
  override readonly name = 'FailedOperands';
}

/** The command in a container has ended: its exit code is that of this program, and there is nothing to add. */
export class CommandEnded extends Error {
  override readonly name = 'CommandEnded';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}
