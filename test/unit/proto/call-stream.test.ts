import { describe, expect, test } from 'vitest';
import { CallStream, type BytesMessage } from '../../../proto/call-stream.js';

const WINDOW = 64 * 1024;

/** One end of a stream; what it sends is kept until it is handed over. */
class End {
  readonly sent: BytesMessage[] = [];
  aborted = false;
  finished = false;
  readonly stream = new CallStream({
    send: (message) => this.sent.push(message),
    finish: () => {
      this.finished = true;
    },
    abort: () => {
      this.aborted = true;
    },
  });

  get bytes(): number {
    return this.sent.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  }
}

const errorOf = (stream: CallStream): Promise<Error> =>
  new Promise((resolve) => {
    stream.once('error', resolve);
  });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a stream over a call', () => {
  test('sends a window and no more until the reader has taken some of it', async () => {
    const writer = new End();
    let isWritten = false;
    writer.stream.write(Buffer.alloc(3 * WINDOW), () => {
      isWritten = true;
    });
    await turn();
    expect(writer.bytes).toBe(WINDOW);
    writer.stream.receive({ credit: 1000 });
    expect(writer.bytes).toBe(WINDOW + 1000);
    expect(isWritten).toBe(false);
    writer.stream.receive({ credit: 2 * WINDOW });
    await turn();
    expect({ bytes: writer.bytes, isWritten }).toEqual({ bytes: 3 * WINDOW, isWritten: true });
    for (const { data } of writer.sent) expect(data?.length ?? 0).toBeLessThanOrEqual(16 * 1024);
  });

  test('gives credit for what was read, and none for what waits', async () => {
    const reader = new End();
    for (let sent = 0; sent < WINDOW; sent += 8192) reader.stream.receive({ data: Buffer.alloc(8192) });
    await turn();
    expect(reader.sent).toEqual([]);
    expect((reader.stream.read() as Buffer).length).toBe(WINDOW);
    await turn();
    expect(reader.sent).toEqual([{ credit: WINDOW }]);
  });

  test('breaks when the other side sends more than it may', async () => {
    const reader = new End();
    const error = errorOf(reader.stream);
    reader.stream.receive({ data: Buffer.alloc(WINDOW) });
    reader.stream.receive({ data: Buffer.alloc(1) });
    expect((await error).message).toContain('that were not asked for');
    expect(reader.aborted).toBe(true);
  });

  test('ends each direction by itself, and the call when both have ended', async () => {
    const one = new End();
    one.stream.end('x');
    one.stream.resume();
    await turn();
    expect(one.sent).toEqual([{ data: Buffer.from('x') }, { end: true }]);
    expect(one.finished).toBe(false);
    one.stream.receive({ data: Buffer.from('y') });
    one.stream.receive({ end: true });
    await new Promise((resolve) => one.stream.once('close', resolve));
    expect({ finished: one.finished, aborted: one.aborted }).toEqual({ finished: true, aborted: false });
  });

  test('that is cut off breaks, also when one direction had ended', async () => {
    const one = new End();
    const error = errorOf(one.stream);
    one.stream.receive({ end: true });
    one.stream.callEnded(undefined);
    expect((await error).message).toBe('the stream broke: the other side is gone');
    expect(one.aborted).toBe(false);
  });

  test('aborts the call when it is destroyed', async () => {
    const one = new End();
    one.stream.destroy();
    await turn();
    expect(one.aborted).toBe(true);
    one.stream.receive({ data: Buffer.alloc(1), credit: 1 });
  });
});
