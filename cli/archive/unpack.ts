import { createWriteStream } from 'node:fs';
import { chmod, link, lstat, mkdir, rm, symlink, utimes } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BaleError, errorCode } from '../../core/errors.js';
import { readArchive, type ReadEntry } from './tar-read.js';
import type { TarEntry } from './tar-header.js';

export interface Unpacking {
  /** An existing directory: nothing is written outside of it. */
  readonly directory: string;
  /** The name that an entry gets there; its own is as in the archive. */
  readonly rename: (name: string) => string;
  /** Told of what cannot be made here, such as devices. */
  readonly leftOut: (name: string) => void;
}

/**
 * Unpacks an archive of a container, which is not trusted: no entry leaves the directory, be it by its
 * name or through a link that lies in it.
 */
export async function unpack(archive: Readable, options: Unpacking): Promise<void> {
  /** Set at the end: a directory is touched by what is put into it. */
  const directories: { readonly path: string; readonly entry: TarEntry }[] = [];
  for await (const read of readArchive(archive)) {
    const path = await placeOf(read.entry.name, options);
    await make(read, path, options);
    if (read.entry.kind === 'directory') directories.push({ path, entry: read.entry });
  }
  for (const { path, entry } of directories.reverse()) await setAttributes(path, entry);
}

async function make({ entry, body }: ReadEntry, path: string, options: Unpacking): Promise<void> {
  switch (entry.kind) {
    case 'directory':
      await makeDirectory(path);
      break;
    case 'file':
      await makeRoom(path);
      await pipeline(Readable.from(body), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      await setAttributes(path, entry);
      break;
    case 'symlink':
      await makeRoom(path);
      await symlink(entry.target, path);
      break;
    case 'hardlink':
      await makeRoom(path);
      await link(await placeOf(entry.target, options), path);
      break;
    case 'other':
      options.leftOut(entry.name);
  }
}

/** Where an entry goes. Its parents are made; a link among them is refused. */
async function placeOf(name: string, { directory, rename }: Unpacking): Promise<string> {
  const wanted = normalize(rename(name));
  const parts = wanted.split(sep).filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw outside(name);
  let parent = directory;
  for (const part of parts.slice(0, -1)) {
    parent = join(parent, part);
    const found = await lookAt(parent);
    if (found === undefined) await mkdir(parent);
    else if (!found.isDirectory()) throw outside(name);
  }
  return join(parent, ...parts.slice(-1));
}

async function makeDirectory(path: string): Promise<void> {
  const found = await lookAt(path);
  if (found === undefined) await mkdir(path);
  else if (!found.isDirectory()) throw inTheWay(`cannot overwrite non-directory "${path}" with directory`);
}

/** A file or link in the way is replaced, a directory is not. */
async function makeRoom(path: string): Promise<void> {
  const found = await lookAt(path);
  if (found === undefined) return;
  if (found.isDirectory()) throw inTheWay(`cannot overwrite directory "${path}" with non-directory`);
  await rm(path);
}

async function lookAt(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function setAttributes(path: string, { mode, mtime }: TarEntry): Promise<void> {
  await chmod(path, mode);
  await utimes(path, mtime, mtime);
}

const outside = (name: string): BaleError =>
  new BaleError(`"${name}" of the archive would be written outside of its destination, or through a link`, {
    kind: 'invalid',
    code: 'BALE_ARCHIVE_INVALID',
  });

const inTheWay = (message: string): BaleError =>
  new BaleError(message, { kind: 'failed-precondition', code: 'BALE_COPY_REFUSED' });
