import { describe, expect, test } from 'vitest';
import { localVolumes } from '../../../../manager/scheduler/local-volumes.js';
import type { Mount } from '../../../../proto/engine/container-spec.js';

const driver = (Name: string, Options: Record<string, string> = {}): Pick<Mount, 'VolumeOptions'> => ({
  VolumeOptions: { DriverConfig: { Name, Options } },
});

describe('volumes that are on one node alone', () => {
  test.each<[string, Partial<Mount>, readonly string[]]>([
    ['a named one', {}, ['data']],
    ['one that is only read', { ReadOnly: true }, ['data']],
    ['one of the driver local', driver('local'), ['data']],
    ['a disk of the machine', driver('local', { type: 'ext4', device: '/dev/sdb1' }), ['data']],
    ['one per slot', { Source: 'data-{{.Task.Slot}}' }, ['data-{{.Task.Slot}}']],
  ])('%s', (_name, fields, names) => {
    const mount = { Type: 'volume', Source: 'data', Target: '/data', ...fields } as Mount;
    expect(localVolumes({ ContainerSpec: { Image: 'image', Mounts: [mount] } })).toEqual(names);
  });

  test.each<[string, Mount]>([
    ['one without a name', { Type: 'volume', Target: '/data' }],
    ['a bind', { Type: 'bind', Source: '/srv', Target: '/data' }],
    ['memory', { Type: 'tmpfs', Target: '/data' }],
    ['one of another driver', { Type: 'volume', Source: 'data', Target: '/data', ...driver('rexray') }],
    ['a share of a server', { Type: 'volume', Source: 'data', Target: '/data', ...driver('local', { type: 'nfs' }) }],
    ['one per task', { Type: 'volume', Source: 'data-{{.Task.ID}}', Target: '/data' }],
  ])('not %s', (_name, mount) => {
    expect(localVolumes({ ContainerSpec: { Image: 'image', Mounts: [mount] } })).toEqual([]);
  });

  test('one of no type, which is a volume', () => {
    const Mounts = [{ Source: 'data', Target: '/data' }];
    expect(localVolumes({ ContainerSpec: { Image: 'image', Mounts } })).toEqual(['data']);
  });

  test('one that is mounted twice counts once', () => {
    const mount = (Target: string): Mount => ({ Type: 'volume', Source: 'data', Target });
    expect(localVolumes({ ContainerSpec: { Image: 'image', Mounts: [mount('/a'), mount('/b')] } })).toEqual(['data']);
  });
});
