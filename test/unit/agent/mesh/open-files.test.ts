import { expect, test } from 'vitest';
import { connectionsFor } from '../../../../agent/mesh/open-files.js';

test.each([
  ['1048576', 16_384],
  ['1024', 384],
  ['100', 1],
  ['unlimited', 16_384],
])('with %s open files there may be %i connections of clients', (files, connections) => {
  const limits = `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${files}              1048576              files\n`;
  expect(connectionsFor(limits)).toBe(connections);
});
