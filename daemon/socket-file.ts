import { chmodSync, chownSync } from 'node:fs';
import { lstat, readFile, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { BaleError, errorCode, errorMessage } from '../core/errors.js';
import { makeDirectory } from './make-directory.js';

/**
 * Listens on the unix socket `path`: root:docker (root alone where there is no such group), 0660.
 * A stale socket file is replaced. Throws BALE_SOCKET_IN_USE when a daemon answers on it, and
 * BALE_SOCKET_UNUSABLE naming the path and the cause.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  try {
    await makeDirectory(dirname(path), 0o755);
    await removeStale(path);
    const group = await dockerGroup();
    await listenPrivately(server, path);
    if (process.getuid?.() === 0) chownSync(path, 0, group ?? 0);
    chmodSync(path, 0o660);
  } catch (error) {
    if (error instanceof BaleError) throw error;
    throw unusable(path, errorMessage(error), error);
  }
}

async function removeStale(path: string): Promise<void> {
  const kind = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (kind === undefined) return;
  if (!kind.isSocket()) throw unusable(path, 'there is a file of that name that is not a socket');
  if (await answers(path)) {
    throw new BaleError(`another daemon answers on ${path}; stop it, or give this one its own --socket`, {
      kind: 'conflict',
      code: 'BALE_SOCKET_IN_USE',
    });
  }
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = errorCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      // A full backlog: somebody listens.
      else if (code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

/** Binds with nobody but the owner allowed, so that the socket is never open wider than it will be. */
function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

/** The number of the group `docker`, or undefined where there is none. */
async function dockerGroup(): Promise<number | undefined> {
  const text = await readFile('/etc/group', 'utf8').catch(() => '');
  const number = /^docker:[^:]*:(?<gid>\d+):/m.exec(text)?.groups?.gid;
  return number === undefined ? undefined : Number(number);
}

const unusable = (path: string, cause: string, error?: unknown): BaleError =>
  new BaleError(`--socket ${path} cannot be used: ${cause}`, {
    kind: 'failed-precondition',
    code: 'BALE_SOCKET_UNUSABLE',
    cause: error,
  });
