import { abortError } from '../../core/abort.js';

/** Bytes kept of what a process writes; the rest is read and dropped. */
const KEPT = 8_192;
/** The Engine puts before each piece of output: its stream, three zeros, its length. */
const HEADER = 8;

/**
 * What a process without a terminal writes to the Engine's attached stream until it ends; undefined when
 * that takes longer than `timeout` ms. Either way the stream is closed.
 */
export function attachedOutput(
  stream: NodeJS.ReadableStream & { destroy?(): void },
  timeout: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let kept = 0;
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      stream.destroy?.();
      settle();
    };
    const onAbort = (): void => {
      end(() => {
        reject(abortError());
      });
    };
    const timer = setTimeout(() => {
      end(() => {
        resolve(undefined);
      });
    }, timeout);
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('data', (chunk: Buffer) => {
      if (kept < KEPT) chunks.push(chunk);
      kept += chunk.length;
    });
    stream.on('end', () => {
      end(() => {
        resolve(pieces(Buffer.concat(chunks)));
      });
    });
    stream.on('error', (error: Error) => {
      end(() => {
        reject(error);
      });
    });
    if (signal.aborted) onAbort();
  });
}

/** The output within the Engine's framing; of a piece that was cut off, what there is. */
export function pieces(framed: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + HEADER <= framed.length;) {
    const length = framed.readUInt32BE(at + HEADER - 4);
    parts.push(framed.subarray(at + HEADER, at + HEADER + length));
    at += HEADER + length;
  }
  return Buffer.concat(parts).toString('utf8');
}
