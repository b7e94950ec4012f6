import type { Readable, Writable } from 'node:stream';
import { BaleError } from '../../core/errors.js';

const HEADER = 8;
const ERROR_OUTPUT = 2;

/** Writes with back-pressure: resolves when the stream takes more. */
export function write(stream: Writable, chunk: Buffer): Promise<void> {
  if (stream.write(chunk)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('error', failed);
      stream.off('close', done);
      resolve();
    };
    const failed = (error: Error): void => {
      stream.off('drain', done);
      stream.off('close', done);
      reject(error);
    };
    stream.once('drain', done);
    stream.once('close', done);
    stream.once('error', failed);
  });
}

/** Copies what a terminal of a container shows. */
export async function pumpRaw(source: Readable, output: Writable): Promise<void> {
  for await (const chunk of source) await write(output, bytes(chunk));
}

/**
 * Takes the Engine's two multiplexed outputs apart: frames of a stream number, three zeros and a length
 * of 32 bits, then so many bytes. A frame is passed on as it comes and never held whole.
 */
export async function pumpFrames(source: Readable, output: Writable, error: Writable): Promise<void> {
  let head = Buffer.alloc(0);
  let left = 0;
  let target = output;
  for await (const piece of source) {
    let chunk = bytes(piece);
    while (chunk.length > 0) {
      if (left === 0) {
        const wanted = HEADER - head.length;
        head = Buffer.concat([head, chunk.subarray(0, wanted)]);
        chunk = chunk.subarray(wanted);
        if (head.length < HEADER) break;
        if ((head[0] ?? 0) > ERROR_OUTPUT) throw notFramed();
        target = head[0] === ERROR_OUTPUT ? error : output;
        left = head.readUInt32BE(4);
        head = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(0, left);
      await write(target, part);
      left -= part.length;
      chunk = chunk.subarray(part.length);
    }
  }
}

const bytes = (chunk: unknown): Buffer => (Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));

const notFramed = (): BaleError =>
  new BaleError("the daemon's answer is not the multiplexed output of a container", {
    kind: 'internal',
    code: 'BALE_ANSWER_INVALID',
  });
