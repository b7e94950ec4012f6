import { describe, expect, test } from 'vitest';
import { cronTimes, isTimeZone } from '../../../../proto/engine/cron.js';

const at = (time: string): number => Date.parse(time);
const shown = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

describe('a cron pattern', () => {
  test.each([
    ['*/5 * * * *', 'UTC', '2026-01-01T00:04:59.999Z', '2026-01-01T00:05:00.000Z'],
    ['*/5 * * * *', 'UTC', '2026-01-01T00:05:00.000Z', '2026-01-01T00:10:00.000Z'],
    ['*/5 * * * * *', 'UTC', '2026-01-01T00:05:00.500Z', '2026-01-01T00:05:05.000Z'],
    ['0 3 * * MON-FRI', 'Europe/Berlin', '2026-01-03T00:00:00.000Z', '2026-01-05T02:00:00.000Z'],
    ['@daily', 'America/New_York', '2026-07-01T12:00:00.000Z', '2026-07-02T04:00:00.000Z'],
    ['@hourly', 'UTC', '2026-01-01T00:05:00.000Z', '2026-01-01T01:00:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00.000Z', '2028-02-29T00:00:00.000Z'],
  ])('%s %s after %s is due at %s', (pattern, zone, after, due) => {
    expect(shown(cronTimes(pattern, zone).next(at(after)))).toBe(due);
  });

  test('a time that the change to summer time leaves out is due when the gap ends, and once', () => {
    const times = cronTimes('30 2 * * *', 'Europe/Berlin');
    const due = times.next(at('2026-03-28T20:00:00Z')) ?? 0;
    expect(shown(due)).toBe('2026-03-29T01:00:00.000Z');
    expect(shown(times.next(due))).toBe('2026-03-30T00:30:00.000Z');
  });

  test('a time that comes twice in autumn is due once', () => {
    const times = cronTimes('30 2 * * *', 'Europe/Berlin');
    const due = times.next(at('2026-10-24T20:00:00Z')) ?? 0;
    expect(shown(due)).toBe('2026-10-25T00:30:00.000Z');
    expect(shown(times.next(due))).toBe('2026-10-26T01:30:00.000Z');
  });

  test('the last due time may be the present', () => {
    const times = cronTimes('*/5 * * * *', 'UTC');
    expect(shown(times.last(at('2026-01-01T00:05:00.000Z')))).toBe('2026-01-01T00:05:00.000Z');
    expect(shown(times.last(at('2026-01-01T00:04:59.999Z')))).toBe('2026-01-01T00:00:00.000Z');
  });

  test('one that never comes due has no next time', () => {
    expect(cronTimes('0 0 30 2 *', 'UTC').next(0)).toBeUndefined();
  });

  test.each(['', 'x', '* * *', '61 * * * *', '0 0 0 1 1 * 2030', '@reboot', '2026-01-01T00:00:00'])(
    '%j is refused',
    (pattern) => {
      expect(() => cronTimes(pattern, 'UTC')).toThrow();
    },
  );
});

test.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['Mars/Olympus', false],
  ['', false],
])('%j names a time zone: %s', (zone, known) => {
  expect(isTimeZone(zone)).toBe(known);
});
