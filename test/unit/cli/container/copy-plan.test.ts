import { describe, expect, test } from 'vitest';
import { baseOf, copyOperand, copyPlan, parentOf, renamed } from '../../../../cli/container/copy-plan.js';

describe('an operand', () => {
  test.each([
    ['-', { kind: 'stream' }],
    ['web.1:/etc/x', { kind: 'container', container: 'web.1', path: '/etc/x' }],
    ['web.1:etc/x', { kind: 'container', container: 'web.1', path: '/etc/x' }],
    ['web:/a:b', { kind: 'container', container: 'web', path: '/a:b' }],
    ['./a:b', { kind: 'local', path: './a:b' }],
    ['../a:b', { kind: 'local', path: '../a:b' }],
    ['/a:b', { kind: 'local', path: '/a:b' }],
    ['file', { kind: 'local', path: 'file' }],
  ])('%s', (text, operand) => {
    expect(copyOperand(text)).toEqual(operand);
  });

  test.each([':/x', 'web.1:'])('%s is refused', (text) => {
    expect(() => copyOperand(text)).toThrow('write it as TASK:PATH');
  });
});

describe('where a copy goes, by the rules of docker', () => {
  const file = (path: string): { path: string; exists: boolean; isDirectory: boolean } => ({
    path,
    exists: true,
    isDirectory: false,
  });
  const directory = (path: string): ReturnType<typeof file> => ({ path, exists: true, isDirectory: true });
  const nothing = (path: string): ReturnType<typeof file> => ({ path, exists: false, isDirectory: false });

  test.each([
    ['a file into a directory', file('/a/f'), directory('/d'), '/d', 'f'],
    ['a file over a file', file('/a/f'), file('/d/g'), '/d', 'g'],
    ['a file to a new name', file('/a/f'), nothing('/d/g'), '/d', 'g'],
    ['a file to a new name here', file('f'), nothing('g'), '.', 'g'],
    ['a directory into a directory', directory('/a/s'), directory('/d'), '/d', 's'],
    ['a directory with a slash into a directory', directory('/a/s/'), directory('/d/'), '/d/', 's'],
    ['what is in a directory into a directory', directory('/a/s/.'), directory('/d'), '/d', ''],
    ['a directory to a new name', directory('/a/s'), nothing('/d/n'), '/d', 'n'],
    ['a directory to a new name with a slash', directory('/a/s'), nothing('/d/n/'), '/d', 'n'],
    ['what is in a directory to a new name', directory('/a/s/.'), nothing('/n'), '/', 'n'],
    ['the whole root into a directory', directory('/'), directory('/d'), '/d', ''],
    ['this directory into a directory', directory('.'), directory('/d'), '/d', ''],
  ])('%s', (_what, source, destination, into, name) => {
    expect(copyPlan(source, destination)).toEqual({ directory: into, name });
  });

  test.each([
    ['a directory over a file', directory('/a/s'), file('/d/g'), 'cannot copy directory'],
    ['a file into a directory that is not there', file('/a/f'), nothing('/d/'), 'no such directory'],
  ])('%s is refused', (_what, source, destination, words) => {
    expect(() => copyPlan(source, destination)).toThrow(words);
  });

  test.each([
    ['/a/b', 'b', '/a'],
    ['/a/b/', 'b', '/a'],
    ['/a', 'a', '/'],
    ['a', 'a', '.'],
    ['./a', 'a', '.'],
    ['/', '', '/'],
  ])('%s has base and parent', (path, base, parent) => {
    expect([baseOf(path), parentOf(path)]).toEqual([base, parent]);
  });
});

describe('an entry of the archive', () => {
  test.each([
    ['f', 'f', 'g', 'g'],
    ['s', 's', 'n', 'n'],
    ['s/x/y', 's', 'n', 'n/x/y'],
    ['s/s', 's', 's', 's/s'],
    ['./x', '', '', 'x'],
    ['.', '', '', ''],
    ['.', '', 'n', 'n'],
    ['x', '', 'n', 'n/x'],
  ])('%s of %s becomes %s', (name, from, to, expected) => {
    expect(renamed(name, from, to)).toBe(expected);
  });
});
