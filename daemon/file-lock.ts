import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { BaleError, errorMessage } from '../core/errors.js';

export interface FileLock {
  release(): Promise<void>;
}

/** Exit status of flock(1) when the lock is held by another. */
const HELD = 1;

/**
 * Takes the lock `daemon.lock` of `directory` for the life of this process.
 *
 * Node has no flock(2). The lock belongs to the open file, not to the process that asks for it: so
 * flock(1) is started once with our descriptor, locks it and ends, and the kernel drops the lock
 * when our descriptor closes, however this process ends. Children do not inherit it.
 *
 * Throws BALE_DIRECTORY_IN_USE naming the directory, `option` and the process that holds it.
 */
export async function lockDirectory(directory: string, option: string): Promise<FileLock> {
  const file = await open(join(directory, 'daemon.lock'), 'a+', 0o600);
  try {
    if ((await flock(file)) === HELD) throw await inUse(file, directory, option);
    await file.truncate(0);
    await file.write(`${process.pid}\n`, 0);
    return { release: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function flock(file: FileHandle): Promise<number> {
  const child = spawn('flock', ['--exclusive', '--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', file.fd] });
  try {
    await once(child, 'close');
  } catch (error) {
    throw lockFailed(errorMessage(error));
  }
  const status = child.exitCode;
  if (status !== 0 && status !== HELD) throw lockFailed(`flock ended with status ${String(status)}`);
  return status;
}

const lockFailed = (cause: string): BaleError =>
  new BaleError(`cannot take a file lock: ${cause}; bale needs flock(1) of util-linux`, {
    kind: 'internal',
    code: 'BALE_LOCK_FAILED',
  });

async function inUse(file: FileHandle, directory: string, option: string): Promise<BaleError> {
  const holder = (await file.readFile('utf8')).trim();
  const who = /^\d+$/.test(holder) ? `process ${holder}` : 'another process';
  return new BaleError(
    `${directory} is in use by another bale daemon (${who}); stop it, or give this one its own ${option}`,
    { kind: 'conflict', code: 'BALE_DIRECTORY_IN_USE' },
  );
}
