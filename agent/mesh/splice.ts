import type { ServerHttp2Stream } from 'node:http2';
import { isOrderlyEnd, resetStream, type ByteStream } from './byte-stream.js';

type End = ByteStream | ServerHttp2Stream;

/**
 * Carries bytes both ways until both ends are closed, then calls `onDone` once. An end of input is
 * passed on as such (half-close), a reset as a reset, and a slow reader slows its writer. Nothing is
 * ever cut for being idle.
 */
export function splice(a: End, b: End, onDone: () => void): void {
  let open = 2;
  const closed = (): void => {
    open -= 1;
    if (open === 0) onDone();
  };
  carry(a, b, closed);
  carry(b, a, closed);
}

function carry(from: End, to: End, onClosed: () => void): void {
  let hasEnded = from.readableEnded && isOrderlyEnd(from);
  if (hasEnded) to.end();
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => {
    if (!isOrderlyEnd(from)) return;
    hasEnded = true;
    to.end();
  });
  if (from.destroyed) {
    // It closed before anybody looked, and its 'close' may have passed.
    resetStream(to);
    onClosed();
    return;
  }
  from.once('close', () => {
    // Without an end before, or with an error, the other side must not take it for an orderly end.
    if (!hasEnded || from.errored !== null) resetStream(to);
    onClosed();
  });
  from.resume();
}
