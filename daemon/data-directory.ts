import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent, syncDirectory, writeFileAtomic } from '../core/atomic-file.js';
import { BaleError, errorCode, errorMessage } from '../core/errors.js';
import { type FileLock, lockDirectory } from './file-lock.js';
import { makeDirectory } from './make-directory.js';

/** Number of the layout of the data directory. A higher one on disk was written by a later bale. */
export const LAYOUT = 1;

/** What lies where under `--data-dir`. */
export interface DataDirectory {
  readonly root: string;
  /** The commit point of membership: a node is a member if and only if this file is there. */
  readonly membershipFile: string;
  /** Identity and mesh configuration of a member. */
  readonly nodeDir: string;
  readonly identityFile: string;
  readonly meshConfigFile: string;
  /** The key of a join whose outcome is not known; outlives what is wiped. */
  readonly joinKeyFile: string;
  /** CA key and journal of a manager. */
  readonly managerDir: string;
  /** Removes what belongs to a membership that is not there: half-made, or left. */
  wipeMember(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Makes the data directory ready and ours alone.
 * Throws BALE_DATA_DIR_UNUSABLE or BALE_DATA_DIR_NEWER naming the directory and the cause, or
 * BALE_DIRECTORY_IN_USE when another daemon has it.
 */
export async function openDataDirectory(root: string): Promise<DataDirectory> {
  let lock: FileLock | undefined;
  try {
    await makeDirectory(root, 0o700);
    if (!(await stat(root)).isDirectory()) throw unusable(root, 'it is not a directory');
    lock = await lockDirectory(root, '--data-dir');
    await checkLayout(root);
  } catch (error) {
    await lock?.release();
    throw error instanceof BaleError ? error : unusable(root, explain(error), error);
  }
  const nodeDir = join(root, 'node');
  const managerDir = join(root, 'manager');
  const held = lock;
  return {
    root,
    membershipFile: join(root, 'membership.json'),
    nodeDir,
    identityFile: join(nodeDir, 'identity.pem'),
    meshConfigFile: join(nodeDir, 'mesh.json'),
    joinKeyFile: join(root, 'join-key.pem'),
    managerDir,
    wipeMember: async () => {
      await rm(nodeDir, { recursive: true, force: true });
      await rm(managerDir, { recursive: true, force: true });
      await syncDirectory(root);
    },
    release: () => held.release(),
  };
}

/** Reads the layout number, or writes ours into a new directory; the write also shows that we can. */
async function checkLayout(root: string): Promise<void> {
  const file = join(root, 'version');
  const text = await readTextIfPresent(file);
  const found = text === undefined ? LAYOUT : Number(text.trim());
  if (!Number.isInteger(found) || found < 1) {
    throw unusable(root, `its version file holds ${JSON.stringify(text?.slice(0, 40))}, not a number`);
  }
  if (found > LAYOUT) {
    throw new BaleError(
      `--data-dir ${root} has layout ${found}, written by a newer bale; this one knows layout ${LAYOUT}. ` +
        'Run the newer bale, or give an empty directory',
      { kind: 'failed-precondition', code: 'BALE_DATA_DIR_NEWER' },
    );
  }
  await writeFileAtomic(file, `${found}\n`, 0o600);
}

const unusable = (root: string, cause: string, error?: unknown): BaleError =>
  new BaleError(`--data-dir ${root} cannot be used: ${cause}`, {
    kind: 'failed-precondition',
    code: 'BALE_DATA_DIR_UNUSABLE',
    cause: error,
  });

function explain(error: unknown): string {
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; run the daemon as root, or give a directory it may write';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the file system is full';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'it is not a directory';
    case undefined:
    default:
      return errorMessage(error);
  }
}
