import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { addRefusedOptions } from '../../../cli/refused-options.js';

const command = (): Command =>
  addRefusedOptions(new Command('create').argument('<image>').exitOverride(), ['--network', '--credential-spec']);
const parse = (...words: string[]): unknown => command().parse(words, { from: 'user' }).opts();

describe('flags of docker that bale does not have', () => {
  test.each([
    ['--network', 'web', /^--network is not implemented: bale attaches tasks/],
    ['--credential-spec', 'file://x', /^--credential-spec is not implemented: it is for containers of Windows/],
    ['--endpoint-mode', 'dnsrr', /^invalid argument "dnsrr" for "--endpoint-mode": there is "vip" alone/],
  ])('%s is refused by name', (flag, value, message) => {
    expect(() => parse(flag, value, 'image')).toThrow(message);
  });

  test('the default mode of endpoints is taken', () => {
    expect(parse('--endpoint-mode', 'vip', 'image')).toEqual({ endpointMode: 'vip' });
  });

  test('no help shows them', () => {
    expect(command().helpInformation()).not.toMatch(/network|credential|endpoint/);
  });
});
