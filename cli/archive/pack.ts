import type { BigIntStats, Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BaleError } from '../../core/errors.js';
import { BLOCK, encodeHeader, padding, type TarEntry } from './tar-header.js';

const PART = 128 * 1024;

/**
 * A file, link or whole directory of this machine as a tar archive whose first entry is called `name`.
 * With `followLink` a link at `path` itself stands for what it leads to. Sockets and devices are left out.
 */
export async function* packPath(path: string, name: string, followLink: boolean): AsyncGenerator<Buffer> {
  yield* packEntry(path, name, followLink ? await stat(path) : await lstat(path));
  yield Buffer.alloc(2 * BLOCK);
}

async function* packEntry(path: string, name: string, found: Stats): AsyncGenerator<Buffer> {
  if (found.isDirectory()) {
    yield encodeHeader(entryOf(name, 'directory', found));
    // In the order of names: the same tree makes the same archive.
    for (const child of (await readdir(path)).sort()) {
      yield* packEntry(join(path, child), `${name}/${child}`, await lstat(join(path, child)));
    }
  } else if (found.isSymbolicLink()) {
    yield encodeHeader({ ...entryOf(name, 'symlink', found), target: await readlink(path) });
  } else if (found.isFile()) {
    const file = await open(path);
    try {
      // As it is now: it may have been replaced since it was listed.
      const opened = await file.stat();
      yield encodeHeader({ ...entryOf(name, 'file', opened), size: opened.size });
      yield* fileBytes(file, path, opened.size);
      yield Buffer.alloc(padding(opened.size));
    } finally {
      await file.close();
    }
  }
}

const entryOf = (name: string, kind: TarEntry['kind'], found: Exclude<Stats, BigIntStats>): TarEntry => ({
  ...{ name, kind, size: 0, target: '', mode: found.mode & 0o7777 },
  ...{ mtime: found.mtimeMs / 1000, uid: found.uid, gid: found.gid },
});

/** Exactly as many bytes as the header said, whatever is written to the file meanwhile. */
async function* fileBytes(file: FileHandle, path: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(PART, size - at)), 0, null, at);
    if (bytesRead === 0) {
      throw new BaleError(`${path} became shorter while it was copied; copy it again`, {
        kind: 'failed-precondition',
        code: 'BALE_FILE_CHANGED',
      });
    }
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
