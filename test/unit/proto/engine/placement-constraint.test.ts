import { describe, expect, it } from 'vitest';
import { parseConstraint } from '../../../../proto/engine/placement-constraint.js';
import { holdsAddress, parseIpRange } from '../../../../proto/engine/ip-range.js';
import { caught } from '../../../support/caught.js';

describe('a constraint', () => {
  it.each([
    ['node.role==worker', { kind: 'role' }, false, ['worker']],
    ['  NODE.ID  !=  abc ', { kind: 'id' }, true, ['abc']],
    ['node.hostname == h-1.example', { kind: 'hostname' }, false, ['h-1.example']],
    ['node.ip==10.0.0.0/8', { kind: 'ip' }, false, ['10.0.0.0/8']],
    ['node.platform.os==linux', { kind: 'os' }, false, ['linux']],
    ['node.platform.arch!=arm64', { kind: 'arch' }, true, ['arm64']],
    ['node.labels.Disk.Type==ssd', { kind: 'node-label', label: 'Disk.Type' }, false, ['ssd']],
    ['engine.labels.os==Debian 12', { kind: 'engine-label', label: 'os' }, false, ['Debian 12']],
    ['node.labels.zone in (a, b)', { kind: 'node-label', label: 'zone' }, false, ['a', 'b']],
    ['node.labels.zone not in (a)', { kind: 'node-label', label: 'zone' }, true, ['a']],
    ['node.hostname==web-*', { kind: 'hostname' }, false, ['web-*']],
  ])('%s is read', (text, attribute, negated, values) => {
    expect(parseConstraint(text)).toEqual({ text: text.trim(), attribute, negated, values });
  });

  it.each([
    ['node.role=worker', 'constraint expected one operator from ==, !='],
    ['', 'constraint expected one operator from ==, !='],
    ['node.role in worker', 'constraint expected one operator from ==, !='],
    ['==worker', "key '' is invalid"],
    ['node role==worker', "key 'node role' is invalid"],
    ['node.role==', "value '' is invalid"],
    ['node.role==wor;ker', "value 'wor;ker' is invalid"],
    ['node.labels.zone in (a,,b)', "value '' is invalid"],
    [
      'node.labels==a',
      "key 'node.labels' is invalid: the keys are node.id, node.hostname, node.ip, node.role, node.platform.os, node.platform.arch, node.labels.<label>, engine.labels.<label>",
    ],
  ])('%j is refused in the words of the Engine', (text, words) => {
    expect(caught(() => parseConstraint(text))).toMatchObject({
      code: 'BALE_SPEC_INVALID',
      message: `rpc error: code = InvalidArgument desc = ${words}`,
    });
  });
});

describe('an address range', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7', true],
    ['10.0.0.7', '10.0.0.8', false],
    ['10.0.0.0/8', '10.255.1.2', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['0.0.0.0/0', '1.2.3.4', true],
    ['0.0.0.0/0', '::1', false],
    ['fd00::/8', 'fd12:3456::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', 'h1', false],
  ])('%s holds %s: %s', (range, address, holds) => {
    const parsed = parseIpRange(range);
    expect(parsed && holdsAddress(parsed, address)).toBe(holds);
  });

  it.each(['', 'h1', '10.0.0', '10.0.0.256', '10.0.0.0/33', '10.0.0.0/8/8', '1::2::3', 'fd00::/129', '1:2:3', 'g::1'])(
    '%j is none',
    (text) => {
      expect(parseIpRange(text)).toBeUndefined();
    },
  );
});
