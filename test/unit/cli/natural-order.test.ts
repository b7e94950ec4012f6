import { expect, test } from 'vitest';
import { codeOrder, naturalOrder } from '../../../cli/view/natural-order.js';

test.each([
  [['web10', 'web2', 'web1']],
  [['web', 'web-1', 'web.1', 'web1', 'web1-a', 'web01-b', 'weba']],
  [['h9.example', 'h10.example', 'h10.example2', 'g11']],
  [['a123456789012345678902', 'a123456789012345678901', 'a99']],
  [['2', '10', '1a', 'a1', '']],
])('%j is ordered as people count', (names) => {
  const sorted = [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  expect([...names].reverse().sort(naturalOrder)).toEqual(sorted);
});

test('letters count by their codes', () => {
  expect(['a_b', 'aB', 'ab', 'a-b', 'Zoo'].sort(naturalOrder)).toEqual(['Zoo', 'a-b', 'aB', 'a_b', 'ab']);
  expect(codeOrder('2026-01-01T00:00:05Z', '2026-01-01T00:00:05.1Z')).toBe(1);
  expect(codeOrder('a', 'a')).toBe(0);
});
