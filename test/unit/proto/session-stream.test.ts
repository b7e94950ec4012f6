import { describe, expect, it } from 'vitest';
import { WireSession, type SessionTransport } from '../../../proto/session-stream.js';

class Line implements SessionTransport<string> {
  readonly written: string[] = [];
  readonly ends: (Error | undefined)[] = [];
  reading = true;
  write(wire: string): void {
    this.written.push(wire);
  }
  unsent(): number {
    return this.reading ? 0 : this.written.length;
  }
  end(error: Error | undefined): void {
    this.ends.push(error);
  }
}

function open(): { line: Line; session: WireSession<number, number, string, string>; ends: (Error | undefined)[] } {
  const line = new Line();
  const session = new WireSession<number, number, string, string>(line, {
    write: String,
    read: (wire) => {
      if (wire === 'bad') throw new Error('cannot be read');
      return Number(wire);
    },
  });
  const ends: (Error | undefined)[] = [];
  session.onEnd((error) => ends.push(error));
  return { line, session, ends };
}

describe('one end of a session', () => {
  it('keeps messages until somebody listens', () => {
    const { session } = open();
    session.receive('1');
    const got: number[] = [];
    session.onMessage((message) => got.push(message));
    session.receive('2');
    expect(got).toEqual([1, 2]);
  });

  it('ends once, whoever does it, and tells those who ask later', () => {
    const { line, session, ends } = open();
    const error = new Error('enough');
    session.end(error);
    session.end();
    session.finish(undefined);
    expect(ends).toEqual([error]);
    expect(line.ends).toEqual([error]);
    session.onEnd((late) => ends.push(late));
    expect(ends).toEqual([error, error]);
  });

  it('after its end neither sends nor delivers', () => {
    const { line, session } = open();
    const got: number[] = [];
    session.onMessage((message) => got.push(message));
    session.finish(undefined);
    session.send(1);
    session.receive('2');
    expect([line.written, got]).toEqual([[], []]);
  });

  it('ends on what it cannot read, and stops delivering in the middle of an end', () => {
    const first = open();
    first.session.receive('bad');
    expect(first.ends).toMatchObject([{ message: 'cannot be read' }]);

    const second = open();
    const got: number[] = [];
    second.session.onMessage(() => {
      second.session.end();
    });
    second.session.onMessage((message) => got.push(message));
    second.session.receive('1');
    expect(got).toEqual([]);
  });

  it('ends on a peer that does not read, with a bound on what waits', () => {
    const { line, session, ends } = open();
    line.reading = false;
    for (let count = 0; count < 10_000; count += 1) session.send(count);
    expect(line.written.length).toBeLessThan(1_000);
    expect(ends).toMatchObject([{ code: 'BALE_SESSION_STUCK' }]);
  });
});
