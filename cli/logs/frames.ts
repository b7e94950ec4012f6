import { BaleError } from '../../core/errors.js';

/** A piece of a multiplexed answer: one line of a log. */
export interface Frame {
  readonly kind: 'stdout' | 'stderr' | 'error';
  readonly payload: Buffer;
}

const HEADER = 8;
const KINDS: Readonly<Record<number, Frame['kind'] | undefined>> = {
  0: 'stdout',
  1: 'stdout',
  2: 'stderr',
  3: 'error',
};

/** Takes a multiplexed answer apart: frames of 8 header bytes (kind, 3 of nothing, length) and their payload. */
export async function* framesOf(answer: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of answer) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER) {
      const kind = KINDS[rest[0] ?? -1];
      if (kind === undefined) throw notMultiplexed();
      const end = HEADER + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { kind, payload: rest.subarray(HEADER, end) };
      rest = rest.subarray(end);
    }
  }
}

const notMultiplexed = (): BaleError =>
  new BaleError('the answer of the daemon is not a multiplexed log', { kind: 'internal', code: 'BALE_DAEMON_ERROR' });
