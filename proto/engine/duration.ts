import { BaleError } from '../../core/errors.js';

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Parses a Go duration (`1m30s`, `500ms`, `0`) into nanoseconds.
 * Throws BALE_DURATION_INVALID naming `field` and the text.
 */
export function parseDuration(text: string, field: string): number {
  if (text === '0') return 0;
  if (/^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    let total = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
      total += Number(amount) * (NANOSECONDS[unit ?? ''] ?? Number.NaN);
    }
    return Math.round(text.startsWith('-') ? -total : total);
  }
  throw new BaleError(`${field}: "${text}" is not a duration; write it like 500ms, 10s or 1m30s`, {
    kind: 'invalid',
    code: 'BALE_DURATION_INVALID',
  });
}

/** Nanoseconds as Go prints them: `1m30s`, `1.5s`, `500ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  const sign = nanoseconds < 0 ? '-' : '';
  const value = Math.abs(nanoseconds);
  if (value < 1e3) return `${sign}${value}ns`;
  if (value < 1e6) return `${sign}${value / 1e3}µs`;
  if (value < 1e9) return `${sign}${value / 1e6}ms`;
  const hours = Math.floor(value / 3600e9);
  const minutes = Math.floor((value % 3600e9) / 60e9);
  const seconds = (value % 60e9) / 1e9;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}
