import { expect, test } from 'vitest';
import { combineReports, type PartialReport } from '../../../../agent/mesh-link/combined-report.js';

const part = (
  role: PartialReport['role'],
  tableNumber: number,
  inFlight: Record<string, number> = {},
): PartialReport => ({
  role,
  report: { tableNumber, bindErrors: [], inFlight },
});

test('a table counts when all have applied it, retired ones too', () => {
  expect(combineReports([part('lead', 9), part('follower', 8), part('retired', 7)])?.tableNumber).toBe(7);
});

test('one that was just started does not count before its first table', () => {
  expect(combineReports([part('lead', 9), part('follower', 0)])?.tableNumber).toBe(9);
  expect(combineReports([part('lead', 0), part('retired', 9)])?.tableNumber).toBe(0);
});

test('what is under way is the sum', () => {
  const parts = [part('lead', 9, { a: 1 }), part('retired', 9, { a: 2, b: 3 })];
  expect(combineReports(parts)?.inFlight).toEqual({ a: 3, b: 3 });
});

test('an error of a port is told once, and not by those that have retired', () => {
  const error = { publishedPort: 80, protocol: 'tcp', error: 'address already in use' } as const;
  const failing = { tableNumber: 9, bindErrors: [error], inFlight: {} };
  const parts: PartialReport[] = [
    { role: 'lead', report: failing },
    { role: 'follower', report: failing },
    { role: 'retired', report: { ...failing, bindErrors: [{ ...error, publishedPort: 81 }] } },
  ];
  expect(combineReports(parts)?.bindErrors).toEqual([error]);
});

test('nothing is said while none serves', () => {
  expect(combineReports([])).toBeUndefined();
  expect(combineReports([part('retired', 9)])).toBeUndefined();
});
