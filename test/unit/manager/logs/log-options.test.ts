import { describe, expect, test } from 'vitest';
import { justAfter, readLogOptions, type LogQuery } from '../../../../manager/logs/log-options.js';

const QUERY: LogQuery = {
  follow: false,
  stdout: true,
  stderr: false,
  timestamps: false,
  details: false,
  since: undefined,
  until: undefined,
  tail: undefined,
};

describe('the query of a log', () => {
  test.each([
    [undefined, 'all'],
    ['', 'all'],
    ['all', 'all'],
    ['0', 0],
    ['12', 12],
  ])('tail %s', (tail, expected) => {
    expect(readLogOptions({ ...QUERY, tail }).tail).toBe(expected);
  });

  test.each([
    [undefined, undefined],
    ['0', undefined],
    ['0.000000000', undefined],
    ['1767225600', '1767225600'],
    ['1767225600.000000001', '1767225600.000000001'],
  ])('since %s', (since, expected) => {
    expect(readLogOptions({ ...QUERY, since }).since).toBe(expected);
  });

  test.each([
    [{ stdout: false }, 'Bad parameters: you must choose at least one stream'],
    [{ tail: 'x' }, 'tail value must be a positive integer or "all"'],
    [{ tail: '1.5' }, 'tail value must be a positive integer or "all"'],
    [{ tail: '-1' }, 'negative tail values not supported'],
    [{ since: 'yesterday' }, 'could not parse since timestamp: "yesterday"'],
    [{ until: '1\n2' }, 'could not parse until timestamp'],
  ])('%j is refused', (over, words) => {
    expect(() => readLogOptions({ ...QUERY, ...over })).toThrow(words);
  });
});

test.each([
  ['2026-01-01T00:00:00.000000000Z', '1767225600.000000001'],
  ['2026-01-01T00:00:00.999999999Z', '1767225601.000000000'],
])('just after %s is %s', (timestamp, expected) => {
  expect(justAfter(timestamp)).toBe(expected);
});
