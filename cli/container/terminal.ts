import type { InputStream, OutputStream, Streams } from '../context.js';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Undefined where standard output is no terminal, or one that does not tell. */
export function sizeOf({ isTTY, columns = 0, rows = 0 }: OutputStream): TerminalSize | undefined {
  return isTTY === true && columns > 0 && rows > 0 ? { columns, rows } : undefined;
}

/** Hands each key on as it is typed, Ctrl-C included. The returned function gives the terminal back. */
export function takeKeys(input: InputStream): () => void {
  if (input.isTTY !== true || input.setRawMode === undefined) return () => undefined;
  input.setRawMode(true);
  return () => {
    input.setRawMode?.(false);
  };
}

/** Tells the present size at once, and each new one. The returned function ends it. */
export function followSize({ output }: Streams, tell: (size: TerminalSize) => void): () => void {
  const look = (): void => {
    const size = sizeOf(output);
    if (size !== undefined) tell(size);
  };
  look();
  output.on('resize', look);
  return () => {
    output.off('resize', look);
  };
}

/** A process that still listens to its input would not end. */
export function letGoOfInput(input: InputStream): void {
  input.pause();
  input.unref?.();
}
