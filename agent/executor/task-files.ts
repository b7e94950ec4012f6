import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BaleError, errorCode, errorMessage } from '../../core/errors.js';
import { makeMemoryDirectory } from './memory-directory.js';
import type { TaskFile } from './task-file.js';

/**
 * The files of this node's tasks on the host, in memory: one directory a task, which its container
 * has the files of mounted one by one, read-only.
 *
 * Invariants: no file has data before it has its owner and mode; a name always leads to a whole file.
 */
export class TaskFiles {
  readonly #directory: string;
  /** Tasks that this process gave files: their containers may not exist yet. */
  readonly #provided = new Set<string>();

  /** `directory` is this node's own; it is made when the first file is. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where the Engine finds a file of a task, whether it is there yet or not. */
  path(taskId: string, name: string): string {
    return join(this.#directory, taskId, name);
  }

  /** Writes all files of a task anew. Throws BALE_FILES_NOT_IN_MEMORY or BALE_FILES_UNWRITABLE. */
  async provide(taskId: string, files: readonly TaskFile[]): Promise<void> {
    this.#provided.add(taskId);
    await makeMemoryDirectory(this.#directory);
    try {
      await mkdir(join(this.#directory, taskId), { recursive: true, mode: 0o700 });
      for (const { name, uid, gid, mode, data } of files) {
        const path = this.path(taskId, name);
        const temporary = `${path}.new`;
        await rm(temporary, { force: true });
        await writeFile(temporary, '', { mode: 0o600, flag: 'wx' });
        await chown(temporary, uid, gid);
        await chmod(temporary, mode);
        await writeFile(temporary, data, { flag: 'r+' });
        await rename(temporary, path);
      }
    } catch (error) {
      throw new BaleError(`the secrets and configs of the task cannot be written: ${errorMessage(error)}`, {
        kind: 'unavailable',
        code: 'BALE_FILES_UNWRITABLE',
        cause: error,
      });
    }
  }

  /** Takes the files of a task away. None: nothing. */
  async withdraw(taskId: string): Promise<void> {
    await rm(join(this.#directory, taskId), { recursive: true, force: true });
    this.#provided.delete(taskId);
  }

  /** Takes away what an earlier process left of tasks that are not among `present`. */
  async sweep(present: ReadonlySet<string>): Promise<void> {
    const found = await readdir(this.#directory).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    });
    for (const taskId of found) {
      if (!present.has(taskId) && !this.#provided.has(taskId)) await this.withdraw(taskId);
    }
  }
}
