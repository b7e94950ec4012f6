import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDataDirectory } from '../../../daemon/data-directory.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'daemon-data-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('the data directory', () => {
  test('is made, private, with the layout number in it', async () => {
    const path = join(root, 'a', 'b');
    const data = await openDataDirectory(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await readFile(join(path, 'version'), 'utf8')).toBe('1\n');
    await data.release();
  });

  test('of a newer bale is refused with both numbers', async () => {
    await writeFile(join(root, 'version'), '7\n');
    await expect(openDataDirectory(root)).rejects.toThrow(/layout 7, written by a newer bale; this one knows layout 1/);
    expect(await readFile(join(root, 'version'), 'utf8')).toBe('7\n');
  });

  test.each(['', 'one', '0', '1.5'])('with version file %j is refused', async (text) => {
    await writeFile(join(root, 'version'), text);
    await expect(openDataDirectory(root)).rejects.toMatchObject({ code: 'BALE_DATA_DIR_UNUSABLE' });
  });

  test('that is a file is refused', async () => {
    const path = join(root, 'file');
    await writeFile(path, '');
    await expect(openDataDirectory(path)).rejects.toThrow(/cannot be used: it is not a directory/);
    await expect(openDataDirectory(join(path, 'below'))).rejects.toThrow(/cannot be used: it is not a directory/);
  });

  test.skipIf(process.platform !== 'linux')('where nothing can be made is refused', async () => {
    await expect(openDataDirectory('/proc/bale/data')).rejects.toMatchObject({ code: 'BALE_DATA_DIR_UNUSABLE' });
  });

  test('that cannot be read is refused with the cause', async () => {
    await mkdir(join(root, 'version'));
    await expect(openDataDirectory(root)).rejects.toThrow(/EISDIR/);
  });

  test.skipIf(process.getuid?.() === 0)('that may not be written is refused', async () => {
    await chmod(root, 0o500);
    await expect(openDataDirectory(root)).rejects.toThrow(/permission denied/);
  });

  test('belongs to one daemon: a second one is told the first one', async () => {
    const first = await openDataDirectory(root);
    await expect(openDataDirectory(root)).rejects.toThrow(
      new RegExp(`in use by another bale daemon \\(process ${process.pid}\\)`),
    );
    await first.release();
    await (await openDataDirectory(root)).release();
  });

  test('is free again when its owner was killed', async () => {
    // A process that holds the lock as ours do: by an open file that flock(1) locked.
    const script = 'exec 9>>"$1/daemon.lock"; flock -n 9; echo held; exec sleep 1000 0<&-';
    const owner = spawn('bash', ['-c', script, 'bash', root], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(owner.stdout, 'data');
      await expect(openDataDirectory(root)).rejects.toMatchObject({ code: 'BALE_DIRECTORY_IN_USE' });
    } finally {
      owner.kill('SIGKILL');
      await once(owner, 'exit');
    }
    await (await openDataDirectory(root)).release();
  });

  test('wipes what belongs to no membership', async () => {
    const data = await openDataDirectory(root);
    await mkdir(data.nodeDir);
    await writeFile(data.identityFile, 'half');
    await mkdir(join(data.managerDir, 'journal'), { recursive: true });
    await data.wipeMember();
    await expect(stat(data.nodeDir)).rejects.toThrow('ENOENT');
    await expect(stat(data.managerDir)).rejects.toThrow('ENOENT');
    await data.release();
  });
});
