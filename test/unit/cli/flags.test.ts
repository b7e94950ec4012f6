import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseFilters } from '../../../cli/flags/filter.js';
import { parseEnvironment, parseLabels } from '../../../cli/flags/labels.js';
import { parseMount } from '../../../cli/flags/mount.js';
import { parsePublish } from '../../../cli/flags/publish.js';
import { parseBytes, parseCount, parseCpus } from '../../../cli/flags/quantity.js';
import { splitWords } from '../../../cli/flags/shell-words.js';

describe('--publish', () => {
  const ingress = (TargetPort: number, PublishedPort?: number, Protocol = 'tcp') => ({
    Protocol,
    TargetPort,
    ...(PublishedPort === undefined ? {} : { PublishedPort }),
    PublishMode: 'ingress',
  });

  test.each([
    ['8080:80', [ingress(80, 8080)]],
    ['80', [ingress(80)]],
    ['53:53/udp', [ingress(53, 53, 'udp')]],
    ['8000-8001:80-81', [ingress(80, 8000), ingress(81, 8001)]],
    ['published=8080,target=80', [ingress(80, 8080)]],
    ['target=80,mode=host,protocol=udp', [{ Protocol: 'udp', PublishMode: 'host', TargetPort: 80 }]],
  ])('%s', (text, ports) => {
    expect(parsePublish(text)).toEqual(ports);
  });

  test.each([
    ['70000:80', 'not a port from 1 to 65535'],
    ['abc', 'not a port'],
    ['1.2.3.4:80:80', 'IP address of the host is not supported'],
    ['80-90:80-81', 'both ranges must be of the same length'],
    ['90-80', 'runs backwards'],
    ['80:80/icmp', 'not one of tcp, udp, sctp'],
    ['published=80', 'the field target is missing'],
    ['target=80,mode=local', 'not one of ingress, host'],
    ['target=80,foo=1', 'unknown field "foo"'],
    ['target=80,mode', 'must be a key=value pair'],
  ])('%s is refused', (text, reason) => {
    expect(() => parsePublish(text)).toThrow(reason);
  });
});

describe('--mount', () => {
  test('all fields of each type', () => {
    expect(parseMount('type=bind,source=/a,target=/b,readonly,bind-propagation=rslave')).toEqual({
      Type: 'bind',
      Source: '/a',
      Target: '/b',
      ReadOnly: true,
      BindOptions: { Propagation: 'rslave' },
    });
    expect(
      parseMount('source=data,dst=/d,volume-driver=local,"volume-opt=o=size=1m,uid=1",volume-label=a=b,volume-nocopy'),
    ).toEqual({
      Type: 'volume',
      Source: 'data',
      Target: '/d',
      VolumeOptions: {
        DriverConfig: { Name: 'local', Options: { o: 'size=1m,uid=1' } },
        Labels: { a: 'b' },
        NoCopy: true,
      },
    });
    expect(parseMount('type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770')).toEqual({
      Type: 'tmpfs',
      Target: '/t',
      TmpfsOptions: { SizeBytes: 64 * 2 ** 20, Mode: 0o1770 },
    });
  });

  test('a source that is not there is made when asked', () => {
    const made = parseMount('type=bind,source=/a,target=/b,bind-create-src');
    expect(made.BindOptions).toEqual({ CreateMountpoint: true });
  });

  test.each([
    ['type=bind,source=/a', 'target is required'],
    ['type=nfs,target=/a', 'not one of bind'],
    ['target=/a,colour=red', "unexpected key 'colour'"],
    ['target=/a,source', 'must be a key=value pair'],
    ['type=tmpfs,target=/a,volume-nocopy', "cannot mix 'volume-*' options with mount type 'tmpfs'"],
    ['target=/a,readonly=maybe', 'invalid value for readonly'],
    ['type=tmpfs,target=/a,tmpfs-mode=9', 'invalid value for tmpfs-mode'],
  ])('%s is refused', (text, reason) => {
    expect(() => parseMount(text)).toThrow(reason);
  });
});

describe('quantities', () => {
  test.each([
    ['512m', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['4MiB', 4 * 2 ** 20],
    ['4MB', 4 * 2 ** 20],
    ['100', 100],
  ])('%s of memory', (text, bytes) => {
    expect(parseBytes('--limit-memory', text)).toBe(bytes);
  });

  test.each([
    ['0.5', 5e8],
    ['2', 2e9],
    ['0.001', 1e6],
  ])('%s CPUs', (text, nano) => {
    expect(parseCpus('--limit-cpu', text)).toBe(nano);
  });

  test('rubbish names the flag and the value', () => {
    expect(() => parseBytes('--limit-memory', 'lots')).toThrow('invalid argument "lots" for "--limit-memory"');
    expect(() => parseCpus('--limit-cpu', '-1')).toThrow('"-1" for "--limit-cpu"');
    expect(() => parseCount('--replicas', '-1')).toThrow('"-1" for "--replicas"');
    expect(() => parseCount('--replicas', '1.5')).toThrow('whole number');
  });
});

describe('environment and labels', () => {
  test('a bare name takes the own value and is left out without one; later ones win', async () => {
    const own = { HOME: '/root' };
    expect(await parseEnvironment(['A=1', 'HOME', 'NONE', 'A=2', 'B='], [], own)).toEqual(['A=2', 'HOME=/root', 'B=']);
  });

  test('a file of variables, comments and blank lines left out', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'bale-env-'));
    try {
      const file = join(directory, 'env');
      await writeFile(file, '# comment\n\nA=1\nB=two words\n');
      expect(await parseEnvironment(['A=3'], [file], {})).toEqual(['A=3', 'B=two words']);
      await expect(parseEnvironment([], [join(directory, 'none')], {})).rejects.toThrow('--env-file');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('labels', () => {
    expect(parseLabels(['a=b=c', 'd'])).toEqual({ a: 'b=c', d: '' });
  });

  test('filters', () => {
    expect(parseFilters(['name=a', 'name=b', 'label=x=y'])).toEqual({
      name: { a: true, b: true },
      label: { 'x=y': true },
    });
    expect(() => parseFilters(['name'])).toThrow('write a filter as name=value');
  });
});

describe('--entrypoint', () => {
  test.each([
    ['sh -c "echo hi"', ['sh', '-c', 'echo hi']],
    ["a 'b c' d\\ e ''", ['a', 'b c', 'd e', '']],
    ['', []],
  ])('%s', (text, words) => {
    expect(splitWords(text, '--entrypoint')).toEqual(words);
  });

  test('an open quote is refused', () => {
    expect(() => splitWords('sh -c "echo', '--entrypoint')).toThrow('is not closed');
  });
});
