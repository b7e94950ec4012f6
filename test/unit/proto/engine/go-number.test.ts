import { expect, it } from 'vitest';
import { formatGo } from '../../../../proto/engine/go-number.js';

it.each([
  [0, '0'],
  [1, '1'],
  [-1, '-1'],
  [0.001, '0.001'],
  [0.000999999, '0.000999999'],
  [0.0001, '0.0001'],
  [0.00005, '5e-05'],
  [1e-9, '1e-09'],
  [-2.5e-9, '-2.5e-09'],
  [123456, '123456'],
  [-9e9, '-9e+09'],
  [1.25e21, '1.25e+21'],
  [1e100, '1e+100'],
])('%d is printed as %s', (value, text) => {
  expect(formatGo(value)).toBe(text);
});
