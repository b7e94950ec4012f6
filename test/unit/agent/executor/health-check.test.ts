import { describe, expect, test } from 'vitest';
import { pieces } from '../../../../agent/executor/attached-output.js';
import { describeProbe, healthCheckOf } from '../../../../agent/executor/health-check.js';

describe('the health check of a container', () => {
  test.each([
    [
      ['CMD', 'curl', '-f', 'localhost'],
      ['curl', '-f', 'localhost'],
    ],
    [
      ['CMD-SHELL', 'curl -f localhost || exit 1'],
      ['/bin/sh', '-c', 'curl -f localhost || exit 1'],
    ],
    [['NONE'], undefined],
    [[], undefined],
    [['CMD'], undefined],
    [['HTTP', '/healthz'], undefined],
  ])('%j is run as %j', (Test, command) => {
    expect(healthCheckOf({ Healthcheck: { Test } })?.command).toEqual(command);
  });

  test("uses the image's shell", () => {
    const config = { Healthcheck: { Test: ['CMD-SHELL', 'ok'] }, Shell: ['/bin/bash', '-ec'] };
    expect(healthCheckOf(config)?.command).toEqual(['/bin/bash', '-ec', 'ok']);
  });

  test('has the times of the Engine where it names none', () => {
    const times = { Interval: 5e8, Timeout: 0, StartPeriod: 2e9 };
    expect(healthCheckOf({ Healthcheck: { Test: ['CMD', 'ok'], ...times } })).toMatchObject({
      interval: 500,
      timeout: 30_000,
      startPeriod: 2_000,
    });
    expect(healthCheckOf({ Healthcheck: { Test: ['CMD', 'ok'] } })).toMatchObject({ startPeriod: 0 });
    expect(healthCheckOf({})).toBeUndefined();
  });

  test('tells its exit code and the beginning of its output, in one line', () => {
    expect(describeProbe({ kind: 'ended', exitCode: 1, output: ' a\n\tb ' })).toBe('last probe exit 1: a b');
    expect(describeProbe({ kind: 'ended', exitCode: 2, output: '\n' })).toBe('last probe exit 2');
    expect(describeProbe({ kind: 'ended', exitCode: 1, output: 'x'.repeat(999) })).toBe(
      `last probe exit 1: ${'x'.repeat(200)}`,
    );
  });
});

describe('the attached output of a process', () => {
  const frame = (text: string): Buffer => {
    const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };

  test('is put together from its pieces, a cut one included', () => {
    expect(pieces(Buffer.concat([frame('one '), frame(''), frame('two')]))).toBe('one two');
    expect(pieces(Buffer.concat([frame('one '), frame('two').subarray(0, 9)]))).toBe('one t');
    expect(pieces(Buffer.concat([frame('one'), frame('two').subarray(0, 5)]))).toBe('one');
    expect(pieces(Buffer.alloc(0))).toBe('');
  });
});
