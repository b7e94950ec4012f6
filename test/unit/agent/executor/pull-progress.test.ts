import { expect, test } from 'vitest';
import { describeProgress, withLine, type PullProgress } from '../../../../agent/executor/pull-progress.js';

const after = (...lines: readonly unknown[]): string | undefined =>
  describeProgress(lines.reduce<PullProgress>(withLine, new Map()));
const loading = (id: string, current: number, total: number) => ({
  id,
  status: 'Downloading',
  progressDetail: { current, total },
});

test('progress counts layers and bytes', () => {
  const start = [
    { status: 'Pulling from library/app', id: '1' },
    { status: 'Pulling fs layer', progressDetail: {}, id: 'a' },
    { status: 'Already exists', progressDetail: {}, id: 'b' },
  ];
  expect(after(start[0])).toBeUndefined();
  expect(after(...start)).toBe('1 of 2 layers');
  expect(after(...start, loading('a', 1e6, 4e6))).toBe('1 of 2 layers, 1.0 of 4.0 MB');
  const loaded = [...start, loading('a', 1e6, 4e6), { status: 'Download complete', id: 'a' }];
  expect(after(...loaded)).toBe('1 of 2 layers, 4.0 of 4.0 MB');
  // Bytes that are unpacked are not bytes that are loaded.
  const unpacking = { id: 'a', status: 'Extracting', progressDetail: { current: 9e6, total: 9e6 } };
  expect(after(...loaded, unpacking)).toBe('1 of 2 layers, 4.0 of 4.0 MB');
  expect(after(...loaded, { status: 'Pull complete', id: 'a' })).toBe('2 of 2 layers, 4.0 of 4.0 MB');
});

test('lines of no known shape change nothing', () => {
  expect(after(null, 'x', { status: 'Digest: sha256:1' }, {})).toBeUndefined();
});
