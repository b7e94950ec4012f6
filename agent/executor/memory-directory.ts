import { execFile } from 'node:child_process';
import { chmod, mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { BaleError, errorMessage } from '../../core/errors.js';

/** statfs(2): TMPFS_MAGIC and RAMFS_MAGIC. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

const MOUNT_PATIENCE_MS = 10_000;

/**
 * Makes `path` a directory in memory that only the owner may look into (0700). Where the run directory
 * is on a disk a tmpfs is mounted at `path`; it stays there for the next daemon. Throws BALE_FILES_NOT_IN_MEMORY.
 */
export async function makeMemoryDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (!(await isInMemory(path))) {
      const options = 'mode=0700,nosuid,nodev,noexec';
      await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', options, 'bale', path], { timeout: MOUNT_PATIENCE_MS });
    }
    await chmod(path, 0o700);
  } catch (error) {
    throw new BaleError(
      `secrets and configs are kept in memory only, and ${path} cannot be made so: ${errorMessage(error).trim()}; ` +
        'run the daemon as root, or give a --run-dir on a tmpfs',
      { kind: 'failed-precondition', code: 'BALE_FILES_NOT_IN_MEMORY', cause: error },
    );
  }
}

export const isInMemory = async (path: string): Promise<boolean> => MEMORY_FILE_SYSTEMS.has((await statfs(path)).type);
