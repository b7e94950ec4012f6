import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packPath } from '../../cli/archive/pack.js';
import { readArchive } from '../../cli/archive/tar-read.js';
import { answer, cliDaemon, serveWeb, startCli } from '../support/cli-streams.js';

let at: Awaited<ReturnType<typeof cliDaemon>>;
beforeEach(async () => {
  at = await cliDaemon();
});
afterEach(() => at.end());

describe('cp', () => {
  /** A container with one file `/data/log` and a directory `/data`. */
  function serveFiles(uploads: { path: string; names: string[] }[], archive?: AsyncIterable<Buffer>): void {
    const stat = (mode: number): string => Buffer.from(JSON.stringify({ name: 'x', mode })).toString('base64');
    at.daemon.behave = (request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      const path = url.searchParams.get('path') ?? '';
      if (url.pathname !== '/containers/web.1/archive') {
        if (url.pathname === '/containers/web.1/json') answer(response, 200, {});
        else serveWeb(request, response);
      } else if (request.method === 'PUT') {
        void (async () => {
          const names: string[] = [];
          for await (const { entry } of readArchive(request)) names.push(`${entry.name} ${entry.size}`);
          uploads.push({ path, names });
          response.end();
        })();
      } else if (path !== '/data' && path !== '/data/log') {
        response.writeHead(404).end();
      } else {
        response.setHeader('X-Docker-Container-Path-Stat', stat(path === '/data' ? 2 ** 31 + 0o755 : 0o644));
        if (request.method === 'HEAD' || archive === undefined) response.end();
        else Readable.from(archive).pipe(response);
      }
    };
  }

  test('of a file out of a container writes it under its name', async () => {
    await writeFile(join(at.root, 'log'), Buffer.alloc(2_000_000, 'line\n'));
    serveFiles([], packPath(join(at.root, 'log'), 'log', false));
    const target = await mkdtemp(join(at.root, 'out-'));
    expect(await startCli(at.daemon, ['cp', 'web.1:/data/log', target]).ran).toEqual({ code: 0, out: '', err: '' });
    expect((await readFile(join(target, 'log'))).equals(await readFile(join(at.root, 'log')))).toBe(true);
  });

  test('to standard output is the archive as it comes', async () => {
    await writeFile(join(at.root, 'log'), 'text');
    const archive = await buffer(Readable.from(packPath(join(at.root, 'log'), 'log', false)));
    serveFiles([], Readable.from([archive]));
    expect((await startCli(at.daemon, ['cp', 'web.1:/data/log', '-']).ran).out).toBe(archive.toString());
  });

  test('into a container sends an archive for the directory that is there, or the parent of a new name', async () => {
    await writeFile(join(at.root, 'new'), 'text');
    const uploads: { path: string; names: string[] }[] = [];
    serveFiles(uploads);
    expect((await startCli(at.daemon, ['cp', join(at.root, 'new'), 'web.1:/data']).ran).code).toBe(0);
    expect((await startCli(at.daemon, ['cp', join(at.root, 'new'), 'web.1:/data/other']).ran).code).toBe(0);
    expect(uploads).toEqual([
      { path: '/data', names: ['new 4'] },
      { path: '/data', names: ['other 4'] },
    ]);
  });

  test('from standard input takes an archive for a directory only', async () => {
    await writeFile(join(at.root, 'new'), 'text');
    const uploads: { path: string; names: string[] }[] = [];
    serveFiles(uploads);
    const { input, ran } = startCli(at.daemon, ['cp', '-', 'web.1:/data']);
    Readable.from(packPath(join(at.root, 'new'), 'new', false)).pipe(input);
    expect((await ran).code).toBe(0);
    expect(uploads).toEqual([{ path: '/data', names: ['new 4'] }]);
    expect(await startCli(at.daemon, ['cp', '-', 'web.1:/data/log']).ran).toMatchObject({
      ...{ code: 1, err: 'destination "web.1:/data/log" must be a directory\n' },
    });
  });

  test.each([
    [['web.1:/data/none', '.'], 'Could not find the file /data/none in container web.1\n'],
    [['web.1:/data', 'web.2:/data'], 'copying between containers is not supported\n'],
    [['here', 'there'], 'must specify at least one container source: write it as TASK:PATH\n'],
    [['/no/such/file', 'web.1:/data'], '/no/such/file: no such file or directory\n'],
  ])('%s is refused', async (operands, words) => {
    serveFiles([]);
    expect(await startCli(at.daemon, ['cp', ...operands]).ran).toEqual({ code: 1, out: '', err: words });
  });
});
