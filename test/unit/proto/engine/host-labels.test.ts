import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { HOST_LABELS, hostOptionsOf } from '../../../../proto/engine/host-labels.js';
import { HOST_POWERS, type HostOptions, powersOf, refusedPower } from '../../../../proto/engine/host-options.js';
import { caught } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';

const decode = (Labels: Record<string, string>): HostOptions | undefined =>
  hostOptionsOf(decodeServiceSpec(serviceBody({ Labels })).Labels);

const fuse = { source: '/dev/fuse', target: '/dev/fuse', access: 'rwm' };

describe('labels that set what a container has of its machine', () => {
  test.each<[string, string, HostOptions | undefined]>([
    ['bale.devices', '/dev/fuse', { devices: [fuse] }],
    ['bale.devices', '/dev/fuse:/dev/fuse:rwm', { devices: [fuse] }],
    ['bale.devices', '/dev/fuse:r', { devices: [{ ...fuse, access: 'r' }] }],
    ['bale.devices', '/dev/sda:/dev/xvdc:rw', { devices: [{ source: '/dev/sda', target: '/dev/xvdc', access: 'rw' }] }],
    [
      'bale.devices',
      '/dev/zero,/dev/fuse',
      { devices: [fuse, { source: '/dev/zero', target: '/dev/zero', access: 'rwm' }] },
    ],
    ['bale.gpus', 'all', { gpus: { count: 'all' } }],
    ['bale.gpus', '2', { gpus: { count: 2 } }],
    ['bale.gpus', 'device=0,GPU-1a', { gpus: { ids: ['0', 'GPU-1a'] } }],
    ['bale.privileged', 'true', { privileged: true }],
    ['bale.privileged', 'false', undefined],
    ['bale.shm-size', '256m', { shmSize: 2 ** 28 }],
    ['bale.shm-size', '1.5GB', { shmSize: 1.5 * 2 ** 30 }],
    ['bale.shm-size', '65536', { shmSize: 65_536 }],
    ['bale.pid', 'host', { pid: 'host' }],
    ['bale.ipc', 'host', { ipc: 'host' }],
    ['bale.ipc', 'private', { ipc: 'private' }],
    ['bale.ipc', 'shareable', { ipc: 'shareable' }],
    ['bale.ipc', 'none', { ipc: 'none' }],
    ['bale.cpuset.cpus', '0-1,3', { cpusetCpus: '0-1,3' }],
    ['bale.cpuset.mems', '0', { cpusetMems: '0' }],
  ])('%s=%s', (label, value, options) => {
    expect(decode({ [label]: value })).toEqual(options);
  });

  test.each<[string, string]>([
    ['bale.devices', ''],
    ['bale.devices', 'fuse'],
    ['bale.devices', '/dev/fuse:fuse'],
    ['bale.devices', '/dev/fuse:/dev/fuse:x'],
    ['bale.devices', '/dev/fuse:/dev/fuse:rr'],
    ['bale.devices', '/dev/fuse:/dev/fuse:r:w'],
    ['bale.devices', '/dev/fuse,'],
    ['bale.devices', '/dev/fuse,/dev/kvm:/dev/fuse'],
    ['bale.devices', 'vendor.com/class=name'],
    ['bale.gpus', '0'],
    ['bale.gpus', '-1'],
    ['bale.gpus', 'device='],
    ['bale.gpus', 'device=0,0'],
    ['bale.gpus', 'some'],
    ['bale.privileged', 'yes'],
    ['bale.privileged', ''],
    ['bale.shm-size', '0'],
    ['bale.shm-size', '1k'],
    ['bale.shm-size', '-1m'],
    ['bale.shm-size', '10x'],
    ['bale.shm-size', '999999999999999t'],
    ['bale.pid', 'container:web'],
    ['bale.pid', 'private'],
    ['bale.ipc', 'container:web'],
    ['bale.cpuset.cpus', ''],
    ['bale.cpuset.cpus', '3-1'],
    ['bale.cpuset.cpus', '0,,1'],
    ['bale.cpuset.cpus', 'all'],
    ['bale.cpuset.mems', '-'],
  ])('%s=%s is refused with the label, the value and an example', (label, value) => {
    const { values = '', example = '' } = HOST_LABELS[label] ?? {};
    expect(caught(() => decode({ [label]: value }))).toEqual({
      kind: 'invalid',
      code: 'BALE_SPEC_INVALID',
      message: `rpc error: code = InvalidArgument desc = label "${label}" must be ${values}, for example ${example}, got ${JSON.stringify(value)}`,
    });
  });

  test.each(Object.entries(HOST_LABELS))('the example of %s is a good value', (_label, { read, example }) => {
    expect(read(example)).toBeDefined();
  });

  test.each(['host', 'none'])('shared memory has no size of its own with bale.ipc=%s', (ipc) => {
    expect(() => decode({ 'bale.shm-size': '64m', 'bale.ipc': ipc })).toThrow(
      `label "bale.shm-size": with "bale.ipc" ${ipc} the container has no shared memory of its own`,
    );
  });

  test('several labels make one set of options, in one order', () => {
    const labels = { 'bale.shm-size': '4k', 'bale.privileged': 'true', other: 'x' };
    const backwards = { other: 'x', 'bale.privileged': 'true', 'bale.shm-size': '4k' };
    expect(decode(labels)).toEqual({ privileged: true, shmSize: 4096 });
    expect(JSON.stringify(decode(labels))).toBe(JSON.stringify(decode(backwards)));
    expect(decode({ other: 'x' })).toBeUndefined();
  });

  test('each has a row in docs/compatibility.md', () => {
    const page = readFileSync(new URL('../../../../docs/compatibility.md', import.meta.url), 'utf8');
    const rows = Object.keys(HOST_LABELS).filter((label) => page.includes(`| \`${label}\` |`));
    expect(rows).toEqual(Object.keys(HOST_LABELS));
  });
});

describe('power over a node', () => {
  test.each<[Record<string, string>, string]>([
    [{ 'bale.privileged': 'true' }, 'privileged'],
    [{ 'bale.devices': '/dev/fuse' }, 'devices'],
    [{ 'bale.gpus': 'all' }, 'gpus'],
    [{ 'bale.pid': 'host' }, 'host-pid'],
    [{ 'bale.ipc': 'host' }, 'host-ipc'],
  ])('%j must be allowed', (labels, power) => {
    const options = decode(labels);
    const [label = ''] = Object.keys(labels);
    expect(refusedPower(options, new Set())).toMatch(
      new RegExp(`^label "${label}" gives the container .*: start its daemon with --allow ${power}$`),
    );
    expect(refusedPower(options, new Set(HOST_POWERS.filter((one) => one === power)))).toBeUndefined();
    expect(refusedPower(options, new Set(HOST_POWERS.filter((one) => one !== power)))).toBeDefined();
  });

  test.each([
    { 'bale.shm-size': '1g' },
    { 'bale.ipc': 'private' },
    { 'bale.ipc': 'shareable' },
    { 'bale.ipc': 'none' },
    { 'bale.cpuset.cpus': '0' },
    { 'bale.cpuset.mems': '0' },
    { 'bale.privileged': 'false' },
  ])('%j needs nobody to allow it', (labels) => {
    expect(refusedPower(decode(labels), new Set())).toBeUndefined();
  });

  test('every label that gives any is named, and the flag for all of them', () => {
    const refused = refusedPower(decode({ 'bale.privileged': 'true', 'bale.gpus': '1' }), new Set());
    expect(refused).toContain('label "bale.privileged"');
    expect(refused).toContain('label "bale.gpus"');
    expect(refused).toMatch(/--allow privileged,gpus$/);
    expect(powersOf({ privileged: true, shmSize: 1 }).map(({ power }) => power)).toEqual(['privileged']);
  });
});
