import { usageError } from './usage-error.js';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/** Bytes of `512m`, `1.5g`, `4MiB`; powers of 1024 as docker has it. */
export function parseBytes(flag: string, text: string): number {
  const match = /^(?<amount>\d+(?:\.\d+)?)\s*(?<unit>[bkmgtp]?)(?:i?b)?$/i.exec(text);
  const unit = UNITS[match?.groups?.unit?.toLowerCase() ?? ''];
  if (match?.groups?.amount === undefined || unit === undefined)
    throw usageError(flag, text, 'write a size like 512m or 2g');
  return Math.trunc(Number(match.groups.amount) * unit);
}

/** Bytes of swap beside the memory limit; -1 = any amount. */
export const parseSwap = (flag: string, text: string): number => (text === '-1' ? -1 : parseBytes(flag, text));

/** Billionths of a CPU of `0.5` or `2`. */
export function parseCpus(flag: string, text: string): number {
  if (!/^\d+(\.\d{1,9})?$/.test(text))
    throw usageError(flag, text, 'write a number of CPUs like 0.5, with at most nine decimals');
  return Math.round(Number(text) * 1e9);
}

/** A whole number of at least `min` and at most `max`. */
export function parseCount(flag: string, text: string, min = 0, max = Infinity): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < min || value > max || !Number.isSafeInteger(value)) {
    throw usageError(
      flag,
      text,
      `write a whole number ${max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`}`,
    );
  }
  return value;
}
