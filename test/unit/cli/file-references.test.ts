import { describe, expect, test } from 'vitest';
import { parseFileRequest } from '../../../cli/flags/file-reference.js';
import { patchFiles, type FileFlags } from '../../../cli/update/file-references.js';
import type { ContainerSpec } from '../../../proto/engine/container-spec.js';

describe('--secret and --config', () => {
  test.each([
    ['db', { source: 'db', File: { Name: 'db', UID: '0', GID: '0', Mode: 0o444 } }],
    ['source=db', { source: 'db', File: { Name: 'db', UID: '0', GID: '0', Mode: 0o444 } }],
    [
      'src=db,target=/etc/db,uid=33,gid=34,mode=0400',
      { source: 'db', File: { Name: '/etc/db', UID: '33', GID: '34', Mode: 0o400 } },
    ],
    ['source=db,mode=256', { source: 'db', File: { Name: 'db', UID: '0', GID: '0', Mode: 0o400 } }],
  ])('%s', (text, wanted) => {
    expect(parseFileRequest('--secret', text)).toEqual(wanted);
  });

  test.each([
    ['target=x', 'source is required'],
    ['', 'source is required'],
    ['source=db,what=1', "invalid field 'what=1'"],
    ['source=db,mode', "invalid field 'mode' must be a key=value pair"],
    ['source=db,mode=09', 'invalid mode specified: 09'],
    ['source=db,mode=rw', 'invalid mode specified: rw'],
  ])('%s is refused', (text, reason) => {
    expect(() => parseFileRequest('--secret', text)).toThrow(reason);
  });
});

describe('references of a service', () => {
  const File = { Name: 'f', UID: '0', GID: '0', Mode: 0o444 };
  const patched = (present: Partial<ContainerSpec>, flags: FileFlags): Partial<ContainerSpec> => {
    const { Image: _, ...rest } = patch(present, flags);
    return rest;
  };
  const patch = (present: Partial<ContainerSpec>, flags: FileFlags): ContainerSpec => {
    const container: ContainerSpec = { Image: 'i', ...present };
    const requests = (texts: readonly string[] = []) => texts.map((text) => parseFileRequest('--x', text));
    patchFiles(container, {
      secrets: requests(flags.secretAdd),
      configs: requests(flags.configAdd),
      secretIds: new Map([['a', 'sa']]),
      configIds: new Map([['a', 'ca']]),
      flags,
    });
    return container;
  };
  const secret = { SecretID: 'old', SecretName: 'b', File };

  test('are added by the id of their name, and removed by name', () => {
    const added = { SecretID: 'sa', SecretName: 'a', File: { ...File, Name: 'a' } };
    expect(patched({ Secrets: [secret] }, { secretAdd: ['a'] })).toEqual({ Secrets: [secret, added] });
    expect(patched({ Secrets: [secret] }, { secretAdd: ['a'], secretRm: ['b'] })).toEqual({ Secrets: [added] });
    expect(patched({ Secrets: [secret] }, { secretRm: ['b', 'no'] })).toEqual({});
    expect(patched({}, { configAdd: ['src=a,target=/f'] })).toEqual({
      Configs: [{ ConfigID: 'ca', ConfigName: 'a', File: { ...File, Name: '/f' } }],
    });
  });

  test('to a name that is not there are refused', () => {
    expect(() => patched({}, { secretAdd: ['nope'] })).toThrow('secret not found: nope');
    expect(() => patched({}, { configAdd: ['nope'] })).toThrow('config not found: nope');
  });

  test('stay as they are without a flag', () => {
    expect(patched({ Secrets: [secret] }, {})).toEqual({ Secrets: [secret] });
  });
});
