import { expect, test } from 'vitest';
import { checkLimits, engineLimits } from '../../../../agent/executor/engine-limits.js';
import { caught } from '../../../support/caught.js';

test('a limit that the kernel would drop is refused by name', () => {
  const none = engineLimits({ SwapLimit: false, CgroupVersion: '2' });
  expect(
    caught(() => {
      checkLimits({ SwapBytes: 0 }, none);
    }),
  ).toMatchObject({ code: 'BALE_LIMIT_UNSUPPORTED' });
  expect(
    caught(() => {
      checkLimits({ MemorySwappiness: 0 }, none);
    }),
  ).toMatchObject({ code: 'BALE_LIMIT_UNSUPPORTED' });
});

test('what asks for nothing, or can be had, is not', () => {
  const none = engineLimits({ SwapLimit: false, CgroupVersion: '2' });
  checkLimits({}, none);
  checkLimits({ SwapBytes: -1, MemorySwappiness: -1 }, none);
  checkLimits({ SwapBytes: 1, MemorySwappiness: 50 }, engineLimits({}));
  checkLimits({ SwapBytes: 1, MemorySwappiness: 50 }, engineLimits({ SwapLimit: true, CgroupVersion: '1' }));
});
