import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../../cli/main.js';

let directory: string;
let server: Server;
let answer: RequestListener;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-client-cert-'));
  server = createServer((request, response) => {
    answer(request, response);
  });
  server.listen(join(directory, 'socket'));
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

const out = (): string => join(directory, 'alice');

async function create(): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const words = ['client-cert', 'create', 'alice', '--role', 'viewer', '--out', out()];
  const code = await runCli(['-H', `unix://${join(directory, 'socket')}`, ...words], {
    print: (text) => (written.stdout += text),
    warn: (text) => (written.stderr += text),
    terminal: undefined,
  });
  return { code, ...written };
}

test('a daemon that goes away before it answers: nothing is written, and what to do is said', async () => {
  answer = ({ socket }) => socket.destroy();
  const { code, stderr } = await create();
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^the bale daemon at unix:.* broke off before its answer was whole \(.*\): .* look before you try again\n$/,
  );
  expect(await readdir(out())).toEqual([]);
});

test('a daemon that goes away after it: the certificate is there, and how to use it is said', async () => {
  answer = ({ method, socket }, response) => {
    if (method !== 'POST') {
      socket.destroy();
      return;
    }
    response.writeHead(201, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ certificate: 'CERT', ca: 'CA', expiresAt: '2030-01-01T00:00:00Z' }));
  };
  const { code, stdout, stderr } = await create();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('bale daemon --host tcp://MANAGER:2376');
  expect((await readdir(out())).sort()).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
});
