import { describe, expect, test } from 'vitest';
import { decodeFilters, Query } from '../../../daemon/query.js';

describe('booleans of a query', () => {
  test.each(['', '0', 'no', 'false', 'none', 'False', ' NONE ', 'NO'])('"%s" is false', (value) => {
    expect(new Query(`force=${encodeURIComponent(value)}`).flag('force')).toBe(false);
  });

  test.each(['1', 'true', 'True', 'yes', '2', 'nope'])('"%s" is true', (value) => {
    expect(new Query(`force=${value}`).flag('force')).toBe(true);
  });

  test('absent is the fallback; of several the first counts', () => {
    expect(new Query('').flag('force')).toBe(false);
    expect(new Query('').flag('force', true)).toBe(true);
    expect(new Query('force=1&force=0').flag('force')).toBe(true);
  });
});

describe('booleans as Go reads them', () => {
  test.each(['', '0', 'f', 'F', 'false', 'FALSE', 'False'])('"%s" is false', (value) => {
    expect(new Query(`status=${value}`).bool('status', 'short')).toBe(false);
  });

  test.each(['1', 't', 'T', 'true', 'TRUE', 'True'])('"%s" is true', (value) => {
    expect(new Query(`status=${value}`).bool('status', 'short')).toBe(true);
  });

  test('absent is false, anything else is refused', () => {
    expect(new Query('').bool('status', 'short')).toBe(false);
    for (const value of ['yes', 'no', 'tRUE', ' 1', '2']) {
      expect(() => new Query(`status=${value}`).bool('status', 'short')).toThrow(/^invalid value for status: [^:]+$/);
      expect(() => new Query(`status=${value}`).bool('status', 'with cause')).toThrow(/strconv\.ParseBool: parsing "/);
    }
  });
});

describe('filters', () => {
  test('a map of maps, a map of lists, and both in one', () => {
    const filters = '{"name":{"web":true,"db":true},"id":["x"],"label":{}}';
    expect(new Query(`filters=${encodeURIComponent(filters)}`).filters()).toEqual({
      name: ['web', 'db'],
      id: ['x'],
      label: [],
    });
  });

  test.each([undefined, '', '{}', 'null'])('%s is none', (text) => {
    expect(decodeFilters(text)).toEqual({});
  });

  test.each(['[]', '"x"', '{', '{"name":"web"}', '{"name":[1]}', '{"name":null}', '7'])('%s is refused', (text) => {
    expect(() => decodeFilters(text)).toThrow(/^invalid filters: /);
  });

  test('a refusal does not repeat a whole URL', () => {
    expect(() => decodeFilters('x'.repeat(100_000))).toThrow(/^.{1,250}$/s);
  });
});
