import { expect, test } from 'vitest';
import { planListeners } from '../../../../agent/mesh/listener-plan.js';

test('closes what is no longer published, then opens what is new, each once', () => {
  const plan = planListeners([80, 443], [443, 8080, 8080]);
  expect(plan.map(({ kind, publishedPort }) => [kind, publishedPort])).toEqual([
    ['close', 80],
    ['open', 8080],
  ]);
  expect(plan.every(({ reason }) => reason !== '')).toBe(true);
});
