import { lstat, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { BaleError, errorCode } from '../../core/errors.js';
import { packPath } from '../archive/pack.js';
import { unpack } from '../archive/unpack.js';
import type { ApiClient } from '../client.js';
import type { Context } from '../context.js';
import { baseOf, copyOperand, copyPlan, parentOf, refused, renamed, type CopyEnd } from './copy-plan.js';
import { containerNamed } from './find-tasks.js';
import { write } from './pump.js';
import { decimalSize } from './stats-figures.js';

export interface CopyFlags {
  readonly archive?: boolean;
  readonly followLink?: boolean;
  readonly quiet?: boolean;
}

export async function runCopy(context: Context, from: string, to: string, flags: CopyFlags): Promise<void> {
  const [source, destination] = [copyOperand(from), copyOperand(to)];
  if (source.kind === 'container') {
    if (destination.kind === 'container') throw refused('copying between containers is not supported');
    const bytes = await copyOut(context, source, destination.kind === 'stream' ? undefined : destination.path, flags);
    if (destination.kind === 'local') report(context, flags, bytes, to);
    return;
  }
  if (destination.kind !== 'container')
    throw refused('must specify at least one container source: write it as TASK:PATH');
  const bytes = await copyIn(context, source.kind === 'stream' ? undefined : source.path, destination, flags);
  report(context, flags, bytes, to);
}

/** docker says so to people only. */
function report({ terminal, warn }: Context, { quiet }: CopyFlags, bytes: number, to: string): void {
  if (quiet !== true && terminal !== undefined) warn(`Successfully copied ${decimalSize(bytes)} to ${to}\n`);
}

interface ContainerPath {
  readonly container: string;
  readonly path: string;
}

/** To a path here, or as an archive to standard output. Resolves with the size of the archive. */
async function copyOut(
  context: Context,
  source: ContainerPath,
  path: string | undefined,
  flags: CopyFlags,
): Promise<number> {
  const client = await context.connect();
  const archivePath = `/containers/${await containerNamed(client, source.container)}/archive`;
  const found = await statIn(client, archivePath, source.path);
  if (found === undefined) throw noFile(source);
  const isFollowed = flags.followLink === true && found.linkTarget !== undefined;
  const end = isFollowed ? resolveLink(source.path, found.linkTarget) : source.path;
  const target = isFollowed ? await statIn(client, archivePath, end) : found;
  if (target === undefined) throw noFile({ ...source, path: end });
  const archive = await client.open('GET', archivePath, { path: end });
  const count = new ByteCount();
  if (path === undefined) {
    const { output } = context.streams();
    for await (const chunk of count.of(archive)) await write(output, chunk);
    return count.bytes;
  }
  // A link that is followed keeps its own name.
  const plan = copyPlan(
    { path: source.path, exists: true, isDirectory: target.isDirectory },
    await localEnd(path, true),
  );
  const first = baseOf(end);
  await unpack(Readable.from(count.of(archive)), {
    directory: plan.directory,
    rename: (name) => renamed(name, first, plan.name),
    leftOut: (name) => {
      context.warn(`${name} was left out: it is neither a file, a directory nor a link\n`);
    },
  });
  return count.bytes;
}

/** From a path here, or an archive on standard input. */
async function copyIn(
  context: Context,
  path: string | undefined,
  destination: ContainerPath,
  flags: CopyFlags,
): Promise<number> {
  const client = await context.connect();
  const archivePath = `/containers/${await containerNamed(client, destination.container)}/archive`;
  const end = await containerEnd(client, archivePath, destination.path);
  const query = { noOverwriteDirNonDir: true, ...(flags.archive === true ? { copyUIDGID: true } : {}) };
  const count = new ByteCount();
  if (path === undefined) {
    if (!end.isDirectory) {
      throw refused(`destination "${destination.container}:${destination.path}" must be a directory`);
    }
    const archive = Readable.from(count.of(context.streams().input));
    await client.upload(archivePath, { ...query, path: end.path }, archive);
    return count.bytes;
  }
  const source = await localEnd(path, flags.followLink === true);
  if (!source.exists) throw refused(`${path}: no such file or directory`);
  const plan = copyPlan(source, end);
  const packed = packPath(path, plan.name === '' ? '.' : plan.name, flags.followLink === true);
  await client.upload(archivePath, { ...query, path: plan.directory }, Readable.from(count.of(packed)));
  return count.bytes;
}

class ByteCount {
  bytes = 0;

  async *of(source: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      this.bytes += part.length;
      yield part;
    }
  }
}

async function localEnd(path: string, followLink: boolean): Promise<CopyEnd> {
  try {
    const found = followLink ? await stat(path) : await lstat(path);
    return { path, exists: true, isDirectory: found.isDirectory() };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { path, exists: false, isDirectory: false };
    throw error;
  }
}

/** What a link leads to is meant. A path that is not there may still be made. */
async function containerEnd(client: ApiClient, archivePath: string, path: string): Promise<CopyEnd> {
  const found = await statIn(client, archivePath, path);
  if (found?.linkTarget === undefined)
    return { path, exists: found !== undefined, isDirectory: found?.isDirectory ?? false };
  const target = resolveLink(path, found.linkTarget);
  const behind = await statIn(client, archivePath, target);
  return { path: target, exists: behind !== undefined, isDirectory: behind?.isDirectory ?? false };
}

const resolveLink = (path: string, target = ''): string =>
  target.startsWith('/') ? target : `${parentOf(path).replace(/\/$/, '')}/${target}`;

interface PathStat {
  readonly isDirectory: boolean;
  /** Of a symbolic link. */
  readonly linkTarget?: string;
}

/** Bits of Go's FileMode. */
const GO_DIRECTORY = 2 ** 31;
const GO_SYMLINK = 2 ** 27;

/** Undefined where there is no such path. */
async function statIn(client: ApiClient, archivePath: string, path: string): Promise<PathStat | undefined> {
  try {
    const answer = await client.open('HEAD', archivePath, { path });
    answer.resume();
    return decodeStat(String(answer.headers['x-docker-container-path-stat'] ?? ''));
  } catch (error) {
    if (!(error instanceof BaleError)) throw error;
    // An answer to HEAD has no words: the question is put again where they are needed.
    await client.get(archivePath.replace(/archive$/, 'json'));
    if (error.kind === 'not-found') return undefined;
    throw error;
  }
}

function decodeStat(header: string): PathStat {
  // The Engine API defines this document for this header.
  const { mode, linkTarget } = JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as {
    mode: number;
    linkTarget?: string;
  };
  const has = (bit: number): boolean => Math.trunc(mode / bit) % 2 === 1;
  return { isDirectory: has(GO_DIRECTORY), ...(has(GO_SYMLINK) ? { linkTarget: linkTarget ?? '' } : {}) };
}

const noFile = ({ container, path }: ContainerPath): BaleError =>
  new BaleError(`Could not find the file ${path} in container ${container}`, {
    kind: 'not-found',
    code: 'BALE_NOT_FOUND',
  });
