import { parseDuration } from '../../proto/engine/duration.js';
import { usageError } from '../flags/usage-error.js';

const DATE =
  /^(?<day>\d{4}-\d\d-\d\d)(?:T(?<hour>\d\d)(?::(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{1,9}))?)?)?)?(?<zone>Z|[+-]\d\d:\d\d)?$/;

/**
 * `--since` (or another `flag`) as the Engine API takes it, `SECONDS.NANOSECONDS` since the epoch: of a duration before `now`
 * (ms), of a time with as many of its parts as are given, local without a zone, or of what is one already.
 */
export function readSince(text: string, now: number, flag: 'since' | 'until' = 'since'): string {
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  if (/^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    return seconds(now - parseDuration(text, `--${flag}`) / 1e6);
  }
  const parts = DATE.exec(text)?.groups;
  const { day = '', hour = '00', minute = '00', second = '00', fraction = '', zone = '' } = parts ?? {};
  const time = Date.parse(`${day}T${hour}:${minute}:${second}${zone}`);
  if (parts === undefined || Number.isNaN(time)) {
    throw usageError(`--${flag}`, text, 'write a time like 2026-01-02T13:23:37Z, or a while like 42m');
  }
  return `${time / 1000}.${fraction.padEnd(9, '0')}`;
}

const seconds = (ms: number): string =>
  `${Math.floor(ms / 1000)}.${String(Math.floor(ms % 1000)).padStart(3, '0')}000000`;
