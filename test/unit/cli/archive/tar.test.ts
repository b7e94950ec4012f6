import { execFile } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packPath } from '../../../../cli/archive/pack.js';
import { encodeHeader, type TarEntry } from '../../../../cli/archive/tar-header.js';
import { readArchive } from '../../../../cli/archive/tar-read.js';
import { unpack } from '../../../../cli/archive/unpack.js';

const run = promisify(execFile);
const LONG = `${'a-long-name-'.repeat(15)}ü`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bale-tar-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A file of odd size, an empty one, a program, long names, links and an empty directory. */
async function makeTree(): Promise<string> {
  const tree = join(root, 'tree');
  await mkdir(join(tree, 'sub', 'empty'), { recursive: true });
  await writeFile(join(tree, 'odd'), Buffer.alloc(300_001, 'some text '));
  await writeFile(join(tree, 'nothing'), '');
  await writeFile(join(tree, 'sub', LONG), 'long');
  await writeFile(join(tree, 'sub', 'program'), '#!/bin/sh\n');
  await chmod(join(tree, 'sub', 'program'), 0o755);
  await utimes(join(tree, 'odd'), 1_000_000_000, 1_000_000_000);
  await symlink('../odd', join(tree, 'sub', 'link'));
  await symlink(LONG, join(tree, 'sub', 'long link'));
  return tree;
}

const listing = async (directory: string): Promise<string> =>
  (
    await run('sh', [
      '-c',
      `cd "$0" && find . -printf '%P %y %m %l\\n' | LC_ALL=C sort && find . -type f -exec sha256sum {} + | LC_ALL=C sort`,
      directory,
    ])
  ).stdout;

const into = (directory: string): Parameters<typeof unpack>[1] => ({
  directory,
  rename: (name) => name,
  leftOut: (name) => {
    throw new Error(`${name} was left out`);
  },
});

describe('an archive', () => {
  test('is read by tar', async () => {
    const tree = await makeTree();
    const file = join(root, 'tree.tar');
    await writeFile(file, await buffer(Readable.from(packPath(tree, 'copy', false))));
    await mkdir(join(root, 'out'));
    await run('tar', ['-xf', file, '-C', join(root, 'out')]);
    expect(await listing(join(root, 'out', 'copy'))).toBe(await listing(tree));
    expect((await lstat(join(root, 'out', 'copy', 'odd'))).mtimeMs).toBe(1_000_000_000_000);
  });

  test.each(['gnu', 'posix', 'ustar'])('that tar made in the format %s is unpacked', async (format) => {
    const tree = await makeTree();
    // The old format has no room for such names.
    if (format === 'ustar') for (const name of [LONG, 'long link']) await rm(join(tree, 'sub', name));
    await link(join(tree, 'odd'), join(tree, 'sub', 'hard'));
    const file = join(root, 'tree.tar');
    await run('tar', ['-cf', file, `--format=${format}`, '-C', root, 'tree']);
    await mkdir(join(root, 'out'));
    await unpack(Readable.from([await readFile(file)]), into(join(root, 'out')));
    expect(await listing(join(root, 'out', 'tree'))).toBe(await listing(tree));
    expect((await lstat(join(root, 'out', 'tree', 'odd'))).mtimeMs).toBe(1_000_000_000_000);
  });

  test('comes byte by byte all the same', async () => {
    const tree = await makeTree();
    await rm(join(tree, 'odd'));
    const whole = await buffer(Readable.from(packPath(tree, 'copy', false)));
    await mkdir(join(root, 'out'));
    await unpack(Readable.from([...whole].map((byte) => Buffer.from([byte]))), into(join(root, 'out')));
    expect(await listing(join(root, 'out', 'copy'))).toBe(await listing(tree));
  });

  test('of a link holds the link, or what it leads to when that is asked for', async () => {
    const tree = await makeTree();
    const kinds = async (follow: boolean): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const { entry } of readArchive(Readable.from(packPath(join(tree, 'sub', 'link'), 'l', follow)))) {
        found.push([entry.name, entry.kind, entry.size]);
      }
      return found;
    };
    expect(await kinds(false)).toEqual([['l', 'symlink', 0]]);
    expect(await kinds(true)).toEqual([['l', 'file', 300_001]]);
  });

  test('cut short, or of something else, is refused', async () => {
    const whole = await buffer(Readable.from(packPath(await makeTree(), 'copy', false)));
    await mkdir(join(root, 'out'));
    for (const bad of [whole.subarray(0, 100_000), Buffer.alloc(2048, 'x'), Buffer.alloc(100), Buffer.alloc(0)]) {
      await expect(unpack(Readable.from([bad]), into(join(root, 'out')))).rejects.toMatchObject({
        code: 'BALE_ARCHIVE_INVALID',
      });
    }
  });
});

describe('an archive that is not trusted', () => {
  const entry = (fields: Partial<TarEntry>): Buffer => {
    const whole = { name: 'x', kind: 'file', size: 0, mode: 0o644, mtime: 0, uid: 0, gid: 0, target: '', ...fields };
    return encodeHeader(whole as TarEntry); // a literal of the tests
  };
  const end = Buffer.alloc(1024);

  const unpacked = async (...entries: readonly Buffer[]): Promise<void> => {
    await mkdir(join(root, 'out'), { recursive: true });
    await unpack(Readable.from([Buffer.concat([...entries, end])]), into(join(root, 'out')));
  };

  test.each([
    ['a name that leads up', [entry({ name: '../evil' })]],
    ['a name that leads up from within', [entry({ name: 'a/../../evil' })]],
    [
      'a file through a link of the same archive',
      [entry({ name: 'l', kind: 'symlink', target: '/tmp' }), entry({ name: 'l/evil' })],
    ],
    ['a hard link to what is outside', [entry({ name: 'h', kind: 'hardlink', target: '../secret' })]],
    [
      'a directory in the place of a link',
      [entry({ name: 'l', kind: 'symlink', target: '/tmp' }), entry({ name: 'l/d', kind: 'directory' })],
    ],
  ])('cannot write outside: %s', async (_what, entries) => {
    await writeFile(join(root, 'secret'), 'secret');
    await expect(unpacked(...entries)).rejects.toMatchObject({ code: 'BALE_ARCHIVE_INVALID' });
    await expect(lstat(join(root, 'evil'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('with an absolute name stays below its destination', async () => {
    await unpacked(entry({ name: '/abs' }));
    expect((await lstat(join(root, 'out', 'abs'))).isFile()).toBe(true);
  });

  test('replaces a link, and does not write through it', async () => {
    await writeFile(join(root, 'kept'), 'kept');
    await mkdir(join(root, 'out'));
    await symlink(join(root, 'kept'), join(root, 'out', 'x'));
    await unpacked(entry({ name: 'x' }));
    expect(await readFile(join(root, 'kept'), 'utf8')).toBe('kept');
    expect((await lstat(join(root, 'out', 'x'))).isFile()).toBe(true);
  });

  test('puts no file in the place of a directory, and no directory in the place of a file', async () => {
    await mkdir(join(root, 'out', 'd'), { recursive: true });
    await writeFile(join(root, 'out', 'f'), '');
    await expect(unpacked(entry({ name: 'd' }))).rejects.toThrow('cannot overwrite directory');
    await expect(unpacked(entry({ name: 'f', kind: 'directory' }))).rejects.toThrow('cannot overwrite non-directory');
  });

  test('may hold links to anywhere: they are only copied', async () => {
    await unpacked(entry({ name: 'l', kind: 'symlink', target: '/etc/passwd' }));
    expect(await readlink(join(root, 'out', 'l'))).toBe('/etc/passwd');
  });
});
