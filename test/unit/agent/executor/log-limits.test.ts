import { expect, test } from 'vitest';
import { defaultLogConfig } from '../../../../agent/executor/log-limits.js';

const BOUNDED = { Type: 'json-file', Config: { 'max-size': '20m', 'max-file': '5' } };

test.each([
  ['json-file', undefined, BOUNDED],
  ['json-file', '{"debug":true}', BOUNDED],
  ['json-file', '{"log-opts":{"labels":"x"}}', BOUNDED],
  ['json-file', 'not json', BOUNDED],
  ['json-file', '{"log-opts":{"max-size":"1m"}}', undefined],
  ['local', undefined, undefined],
  ['journald', undefined, undefined],
])('logs of %s with the configuration %s', (driver, file, expected) => {
  expect(defaultLogConfig(driver, file)).toEqual(expected);
});
