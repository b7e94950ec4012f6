import { expect, test } from 'vitest';
import { hostMounts } from '../../../../agent/executor/container-mounts.js';

test('mounts go where an Engine of API 1.41 has them', () => {
  const volume = { Type: 'volume' as const, Source: 'v', Target: '/v' };
  expect(
    hostMounts([
      volume,
      { Type: 'bind', Source: '/a', Target: '/b', BindOptions: { CreateMountpoint: true } },
      {
        Type: 'bind',
        Source: '/c',
        Target: '/d',
        ReadOnly: true,
        BindOptions: { CreateMountpoint: true, Propagation: 'rslave' },
      },
      {
        Type: 'tmpfs',
        Target: '/t',
        TmpfsOptions: { SizeBytes: 4096, Mode: 0o700, Options: [['exec'], ['uid', '5']] },
      },
      { Type: 'tmpfs', Target: '/r', ReadOnly: true, TmpfsOptions: { Options: [['nodev']] } },
    ]),
  ).toEqual({
    Mounts: [volume],
    Binds: ['/a:/b', '/c:/d:ro,rslave'],
    Tmpfs: { '/t': 'size=4096,mode=700,exec,uid=5', '/r': 'ro,nodev' },
  });
});

test('no mounts, no fields', () => {
  expect(hostMounts([])).toEqual({});
});
