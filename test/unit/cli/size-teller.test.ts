import { expect, it } from 'vitest';
import { sizeTeller } from '../../../cli/container/size-teller.js';

it('tells one size at a time, and of those that wait the newest', async () => {
  const told: number[] = [];
  const answers: (() => void)[] = [];
  const tell = sizeTeller(({ rows }) => {
    told.push(rows);
    return new Promise((resolve) => answers.push(resolve));
  });
  for (const rows of [1, 2, 3]) tell({ rows, columns: 80 });
  expect(told).toEqual([1]);
  answers[0]?.();
  await expect.poll(() => told).toEqual([1, 3]);
  answers[1]?.();
  await Promise.resolve();
  await Promise.resolve();
  tell({ rows: 4, columns: 80 });
  await expect.poll(() => told).toEqual([1, 3, 4]);
});

it('tells a size again to a process that has no terminal yet', async () => {
  let tries = 0;
  sizeTeller(() => {
    tries += 1;
    return tries < 3 ? Promise.reject(new Error('no terminal')) : Promise.resolve();
  })({ rows: 1, columns: 1 });
  await expect.poll(() => tries).toBe(3);
});
