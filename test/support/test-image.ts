import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const TEST_IMAGE = 'bale-test:1';

/** Programs of the image, all of them busybox. */
const APPLETS = [
  'sh',
  'sleep',
  'cat',
  'echo',
  'nc',
  'httpd',
  'hostname',
  'true',
  'false',
  'env',
  'kill',
  'id',
  'pwd',
  'ls',
  'touch',
  'wc',
  'ps',
  'mount',
  'test',
  'date',
];

/**
 * `/` answers with the replica's host name, so that a test sees who served it. The shell hands SIGTERM on,
 * so that a stop is quick.
 */
const SERVE = '#!/bin/sh\nhostname > /www/index.html\ntrap "exit 0" TERM\nhttpd -f -p "${1:-80}" -h /www &\nwait\n';

let made: Promise<Buffer> | undefined;

/** Loads the test image into an Engine; no registry is asked. */
export async function importTestImage(engineSocket: string): Promise<void> {
  made ??= makeTree();
  await importImage(engineSocket, TEST_IMAGE, '/serve', await made);
}

/** Makes an image `name:tag` that runs `command` out of the archive of a file tree. */
export function importImage(engineSocket: string, image: string, command: string, archive: Buffer): Promise<void> {
  const [repository = '', tag = 'latest'] = image.split(':');
  const changes = encodeURIComponent(`CMD ["${command}"]`);
  return new Promise<void>((resolve, reject) => {
    const call = request(
      {
        socketPath: engineSocket,
        method: 'POST',
        path: `/images/create?fromSrc=-&repo=${repository}&tag=${tag}&changes=${changes}`,
        headers: { 'content-type': 'application/x-tar', 'content-length': archive.length },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          if (response.statusCode === 200 && !text.includes('"error"')) resolve();
          else reject(new Error(`image import: ${text}`));
        });
      },
    );
    call.on('error', reject);
    call.end(archive);
  });
}

async function makeTree(): Promise<Buffer> {
  const tree = await mkdtemp(join(tmpdir(), 'bale-image-'));
  try {
    for (const folder of ['bin', 'www', 'tmp', 'etc']) await mkdir(join(tree, folder));
    await copyFile('/bin/busybox', join(tree, 'bin', 'busybox'));
    for (const applet of APPLETS) await symlink('busybox', join(tree, 'bin', applet));
    await writeFile(join(tree, 'serve'), SERVE, { mode: 0o755 });
    await writeFile(join(tree, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n');
    return await archiveOf(tree);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** A folder as a tar archive. */
export async function archiveOf(tree: string): Promise<Buffer> {
  const { stdout } = await promisify(execFile)('tar', ['-C', tree, '-c', '.'], {
    encoding: 'buffer',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
