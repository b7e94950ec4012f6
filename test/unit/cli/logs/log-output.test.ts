import { describe, expect, test } from 'vitest';
import { framesOf } from '../../../../cli/logs/frames.js';
import { readLine, showLine } from '../../../../cli/logs/log-line.js';
import { readSince } from '../../../../cli/logs/since.js';

const IDS = 'com.docker.swarm.node.id=n1,com.docker.swarm.service.id=s1,com.docker.swarm.task.id=t1';

describe('a line as it is shown', () => {
  const shown = (payload: string, timestamps: boolean, details: boolean): string =>
    showLine(readLine(Buffer.from(payload), timestamps), 'web.1.t1@h1', details).toString();

  test('begins with its task', () => {
    expect(shown(`${IDS} hello  world\n`, false, false)).toBe('web.1.t1@h1    | hello  world\n');
  });

  test('begins with the time that was asked for', () => {
    expect(shown(`2026-01-01T00:00:00.000000001Z ${IDS} x\n`, true, false)).toBe(
      '2026-01-01T00:00:00.000000001Z web.1.t1@h1    | x\n',
    );
  });

  test('has details without the ids, unescaped and sorted', () => {
    expect(shown(`b=x+y%21,${IDS},a=1 x\n`, false, true)).toBe('web.1.t1@h1    | a=1,b=x y! x\n');
    expect(shown(`${IDS} x\n`, false, true)).toBe('web.1.t1@h1    |  x\n');
  });

  test('is refused without its ids', () => {
    expect(() => readLine(Buffer.from('hello world\n'), false)).toThrow('invalid context in log message: hello world');
  });
});

describe('frames', () => {
  const BYTES = Buffer.concat([
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 2]),
    Buffer.from('a\n'),
    Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from([3, 0, 0, 0, 0, 0, 0, 3]),
    Buffer.from('bad'),
  ]);

  async function read(size: number): Promise<string[]> {
    const pieces: Buffer[] = [];
    for (let from = 0; from < BYTES.length; from += size) pieces.push(BYTES.subarray(from, from + size));
    const frames: string[] = [];
    const answer = (async function* () {
      yield* await Promise.resolve(pieces);
    })();
    for await (const { kind, payload } of framesOf(answer)) frames.push(`${kind} ${payload.toString()}`);
    return frames;
  }

  test.each([1, 5, 1000])('come whole in pieces of %s bytes', async (size) => {
    expect(await read(size)).toEqual(['stdout a\n', 'stderr ', 'error bad']);
  });
});

describe('--since', () => {
  const NOW = Date.parse('2026-01-01T00:10:00.250Z');

  test.each([
    ['42', '42'],
    ['1767225600.5', '1767225600.5'],
    ['10m', '1767225600.250000000'],
    ['1m30s', '1767226110.250000000'],
    ['2026-01-01T00:00:00Z', '1767225600.000000000'],
    ['2026-01-01T00:00:00.000000007Z', '1767225600.000000007'],
    ['2026-01-01T01:00:00+01:00', '1767225600.000000000'],
    ['2026-01-01Z', '1767225600.000000000'],
  ])('%s', (text, expected) => {
    expect(readSince(text, NOW)).toBe(expected);
  });

  test('a time without a zone is local', () => {
    expect(readSince('2026-01-01T00:00:00', NOW)).toBe(`${Date.parse('2026-01-01T00:00:00') / 1000}.000000000`);
  });

  test.each(['yesterday', '2026-13-01', '10 minutes', ''])('%j is refused', (text) => {
    expect(() => readSince(text, NOW)).toThrow(`invalid argument "${text}" for "--since"`);
  });
});
