import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../core/errors.js';

/**
 * Makes a directory and those above it. Node's own recursive mkdir is not used: it never returns
 * where nothing can be made (/proc), and hides the cause on a read-only file system.
 */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const parent = dirname(path);
    if (errorCode(error) === 'ENOENT' && parent !== path && !(await exists(parent))) {
      await makeDirectory(parent, mode);
      await mkdir(path, { mode });
    } else if (!(await exists(path))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
