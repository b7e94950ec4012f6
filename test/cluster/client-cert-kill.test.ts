import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import { certificateId } from '../../manager/ca/client-authority.js';
import type { ClientCertificateDocument } from '../../proto/client-certificate.js';
import { compileInPlace, type Compiled } from '../support/compile.js';
import { freePort } from '../support/free-port.js';
import { EngineServer } from '../support/engine-server.js';
import { eventually } from '../support/eventually.js';
import { RemoteClient } from '../support/remote-client.js';
import { SocketClient } from '../support/socket-client.js';

/** When the daemon is killed, ms after the command began. */
const MOMENTS = [0, 4, 8, 12, 18, 30];

let program: Compiled;
let root: string;
let engine: EngineServer;
let words: readonly string[];
let port = 0;
let client: SocketClient;
let daemon: ChildProcess | undefined;

beforeAll(async () => {
  program = await compileInPlace('test/support/daemon-process.ts');
  root = await mkdtemp(join(tmpdir(), 'client-cert-kill-'));
  engine = new EngineServer(join(root, 'engine.sock'));
  await engine.start();
  const [listen, mesh] = [await freePort(), await freePort()];
  port = await freePort();
  const socket = join(root, 'bale.sock');
  client = new SocketClient(socket);
  words = [
    ...['--socket', socket, '--data-dir', join(root, 'data'), '--engine', engine.socketPath],
    ...['--listen-addr', `127.0.0.1:${listen}`, '--mesh-addr', `127.0.0.1:${mesh}`, '--hostname', 'm'],
    ...['--advertise-addr', '127.0.0.1', '--host', `tcp://127.0.0.1:${port}`],
  ];
  await start();
  const body = { ListenAddr: `127.0.0.1:${listen}`, AdvertiseAddr: '127.0.0.1' };
  const { status, text } = await client.ask('/swarm/init', { method: 'POST', body });
  if (status !== 200) throw new Error(text);
}, 120_000);
afterAll(async () => {
  await kill();
  await engine.stop();
  await rm(root, { recursive: true, force: true });
  await program.dispose();
});

async function start(): Promise<void> {
  daemon = spawn(process.execPath, [program.entry, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  await eventually('the daemon', async () => (await client.ask('/_ping')).status === 200 || undefined);
}

async function kill(): Promise<void> {
  const dying = daemon;
  daemon = undefined;
  if (dying === undefined || dying.exitCode !== null) return;
  const gone = once(dying, 'exit');
  dying.kill('SIGKILL');
  await gone;
}

async function bale(...args: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  let stderr = '';
  const output = { print: () => undefined, warn: (text: string) => void (stderr += text), terminal: undefined };
  const code = await runCli(['-H', `unix://${join(root, 'bale.sock')}`, ...args], output);
  return { code, stderr };
}

const directory = (name: string): string => join(root, 'clients', name);
const create = (name: string) => bale('client-cert', 'create', name, '--role', 'admin', '--out', directory(name));

async function listed(): Promise<readonly ClientCertificateDocument[]> {
  const { status, text } = await client.ask('/bale/client-certificates');
  if (status !== 200) throw new Error(text);
  return JSON.parse(text) as readonly ClientCertificateDocument[]; // what the route answers with
}

/** The client of a certificate is let in, and the list has this very certificate. */
async function expectWhole(name: string): Promise<void> {
  const file = (part: string): Promise<string> => readFile(join(directory(name), `${part}.pem`), 'utf8');
  const [ca, cert, key] = await Promise.all([file('ca'), file('cert'), file('key')]);
  const valid = (await listed()).filter((one) => one.name === name && one.state === 'valid');
  expect(valid.map(({ id }) => id)).toEqual([certificateId(new X509Certificate(cert))]);
  const remote = new RemoteClient(port, { ca, cert, key });
  await eventually('the client', async () => (await remote.ask('GET /_ping')).status === 200 || undefined);
}

// Each daemon is a process that loads hundreds of files: a busy machine takes seconds for one.
test(
  'a daemon killed while it makes a client certificate has made all of it or nothing',
  { timeout: 240_000 },
  async () => {
    const held: string[] = [];
    for (const moment of MOMENTS) {
      const name = `client${moment}`;
      const making = create(name);
      // A moment on the way, chosen blindly: which one it hits is the question.
      await new Promise((resolve) => setTimeout(resolve, moment));
      await kill();
      const { code, stderr } = await making;
      await start();
      const known = (await listed()).filter((one) => one.name === name);
      if (code === 0) {
        held.push(name);
      } else {
        // Nobody has its key; its name can be given anew.
        expect(stderr).toMatch(
          /^(Cannot connect to the bale daemon at|the bale daemon at .* broke off before its answer was whole)/,
        );
        expect(await readdir(directory(name)).catch(() => [])).toEqual([]);
        expect(known.length).toBeLessThanOrEqual(1);
        if (known.length === 1) expect((await bale('client-cert', 'revoke', name)).code).toBe(0);
        expect(await create(name)).toEqual({ code: 0, stderr: '' });
        held.push(name);
      }
    }
    for (const one of held) await expectWhole(one);
    expect(new Set((await listed()).filter(({ state }) => state === 'valid').map(({ name }) => name))).toEqual(
      new Set(held),
    );
  },
);
