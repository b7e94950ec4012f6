import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadIdentity } from '../../core/identity-file.js';
import { IdentitySource, type NodeIdentity } from '../../core/identity.js';
import { createCsr, newPrivateKey } from '../../core/x509.js';
import { openSession, renewCertificate } from '../../proto/cluster-client.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { VOUCH_PATH } from '../../proto/vouch.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { TestCa } from '../support/identities.js';
import { expectRefusal } from '../support/refusal.js';
import { must, run, type Output } from '../support/run.js';
import { socketDocument, socketRequest } from '../support/socket-request.js';
import { ask, nodesOf, runningTasks } from '../support/swarm-session.js';
import type { TestHost } from '../support/test-host.js';
import { TEST_IMAGE } from '../support/test-image.js';

const PORT = 8090;
const PROGRAM = 'dist/bin/bale.js';

describe('hostile peers, and daemons that cannot start', () => {
  let hosts: Hosts;
  let manager: TestHost;
  let worker: TestHost;
  /** In no cluster, then in one of its own. */
  let outsider: TestHost;
  let scratch: string;

  beforeAll(async () => {
    hosts = await startHosts(3);
    [manager, worker, outsider] = [hosts.host(1), hosts.host(2), hosts.host(3)];
    scratch = await mkdtemp(join(tmpdir(), 'bale-bad-input-'));
    await manager.bale('swarm', 'init');
    await worker.bale('swarm', 'join', '--token', await token('worker'), manager.address);
    await manager.bale('service', 'create', '-d', '--name', 'web', '--replicas', '2', '-p', `${PORT}:80`, TEST_IMAGE);
    await runningTasks(manager, 'web', 2);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  const token = async (role: 'worker' | 'manager'): Promise<string> =>
    (await manager.bale('swarm', 'join-token', '-q', role)).trim();

  /** What the cluster is made of, without what beats. */
  async function cluster(): Promise<unknown> {
    const services = await socketDocument<readonly ServiceDocument[]>(manager.baleSocket, '/services');
    return {
      services: services.map(({ ID, Version, Spec }) => ({ ID, Version, Spec })),
      nodes: (await nodesOf(manager)).map(({ ID, Version, Spec }) => ({ ID, Version, Spec })),
      tasks: (await runningTasks(manager, 'web', 2)).map(({ ID }) => ID).sort(),
    };
  }

  describe('peers', () => {
    const clusterPort = (): string => `${manager.address}:2377`;

    /** Why the manager ends a session of this identity. */
    const sessionEnd = (identity: NodeIdentity): Promise<Error | undefined> =>
      new Promise((resolve) => {
        openSession(clusterPort(), new IdentitySource(identity)).onEnd(resolve);
      });

    /** The status of a question to the mesh on `host`, or the error of the connection. */
    const askMesh = (host: TestHost, identity: NodeIdentity): Promise<number | string> =>
      new Promise((resolve) => {
        const client = connectHttp2(`https://${host.address}:2378`, {
          key: identity.privateKey,
          cert: identity.certificate,
          ca: identity.trustRoot,
          checkServerIdentity: () => undefined,
        });
        client.once('error', (error: Error) => {
          resolve(error.message);
        });
        client.once('close', () => {
          resolve('closed');
        });
        const stream = client.request({ ':method': 'GET', ':path': VOUCH_PATH });
        stream.once('response', (headers) => {
          resolve(headers[':status'] ?? 0);
          client.destroy();
        });
        stream.on('error', () => undefined);
      });

    const identityOf = (host: TestHost): Promise<NodeIdentity> => loadIdentity(inside(host, 'bale/node/identity.pem'));

    test('of another cluster get no session, no certificate and no tunnel', async () => {
      await outsider.bale('swarm', 'init');
      const foreign = await identityOf(outsider);
      const before = await cluster();
      // It trusts our root, so that it is our side that refuses.
      const guest = { ...foreign, trustRoot: (await identityOf(manager)).trustRoot };
      expect((await sessionEnd(guest))?.message).toMatch(/certificate/);
      await expect(
        renewCertificate(
          clusterPort(),
          new IdentitySource(guest),
          createCsr(newPrivateKey()),
          AbortSignal.timeout(60_000),
        ),
      ).rejects.toThrow(/certificate/);
      expect(await askMesh(worker, guest)).not.toBe(200);
      expect(await askMesh(manager, guest)).not.toBe(200);
      expect(await cluster()).toEqual(before);
      await outsider.bale('swarm', 'leave', '--force');
    });

    test('with a certificate of the same names by a root of their own are refused alike', async () => {
      const own = await identityOf(worker);
      const forger = await TestCa.create(own.clusterId);
      const forged = { ...forger.identity(own.nodeId, 'manager'), trustRoot: own.trustRoot };
      expect((await sessionEnd(forged))?.message).toMatch(/certificate/);
      expect(await askMesh(worker, forged)).not.toBe(200);
    });

    test('that are workers may not ask a mesh what only managers may', async () => {
      expect(await askMesh(manager, await identityOf(worker))).toBe(403);
      expect(await askMesh(worker, await identityOf(manager))).toBe(200);
    });

    test('that talk nonsense, or nothing at all, keep nobody out', async () => {
      const sockets: Socket[] = [];
      const files = async (): Promise<number> => (await readdir(`/proc/${manager.daemonPid}/fd`)).length;
      const before = await files();
      for (const port of [2377, 2378, PORT]) {
        for (let n = 0; n < 100; n += 1) {
          const socket = createConnection({ host: manager.address, port });
          socket.on('error', () => undefined);
          sockets.push(socket);
          if (n % 4 === 1) socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
          if (n % 4 === 2) socket.write(Buffer.alloc(20_000, 0x16));
          if (n % 4 === 3) socket.write('\u0016\u0003\u0001\u0002');
        }
      }
      await outsider.bale('swarm', 'join', '--token', await token('worker'), manager.address);
      for (const { address } of [manager, worker]) expect((await ask(address, PORT)).status).toBe(200);
      await outsider.bale('swarm', 'leave');
      await manager.bale('node', 'rm', '--force', 'h3');
      for (const socket of sockets) socket.destroy();
      await eventually('the manager to have closed all of it', async () => (await files()) <= before + 5);
    });

    test('that were removed get no session and no tunnel', async () => {
      await outsider.bale('swarm', 'join', '--token', await token('worker'), manager.address);
      const former = await identityOf(outsider);
      await manager.bale('node', 'rm', '--force', 'h3');
      expect((await sessionEnd(former))?.message).toMatch(/removed/);
      await expect(
        renewCertificate(
          clusterPort(),
          new IdentitySource(former),
          createCsr(former.privateKey),
          AbortSignal.timeout(60_000),
        ),
      ).rejects.toThrow(/removed/);
      await eventually('the tunnel to be refused', async () => (await askMesh(worker, former)) === 'closed');
      await eventually('the node to say why', async () => (await outsider.bale('info')).includes('removed'));
      await outsider.bale('swarm', 'leave', '--force');
      expect(await outsider.bale('info')).toContain('Swarm: inactive');
    });
  });

  describe('a daemon', () => {
    const start = async (...args: string[]): Promise<Output> =>
      outsider.run(PROGRAM, ['daemon', `--engine=unix://${outsider.engineSocket}`, ...args]);
    const at = (name: string): string => join(scratch, name);

    test('on the data directory of another one', async () => {
      const output = await start(`--data-dir=${inside(outsider, 'bale')}`, `--socket=${at('x.sock')}`);
      expectRefusal(output, /in use by another bale daemon \(process \d+\).*--data-dir/);
    });

    test('on the socket of another one', async () => {
      const output = await start(`--data-dir=${at('data')}`, `--socket=${outsider.baleSocket}`);
      expectRefusal(output, /in use by another bale daemon \(process \d+\); stop it, or give this one its own/);
    });

    test('with state of a newer version', async () => {
      await mkdir(at('newer'));
      await writeFile(join(at('newer'), 'version'), '99\n');
      expectRefusal(
        await start(`--data-dir=${at('newer')}`, `--socket=${at('x.sock')}`),
        /has layout 99, written by a newer bale.*Run the newer bale/,
      );
      expect(await readdir(at('newer'))).not.toContain('node');
    });

    test('with a data directory that is a file', async () => {
      await writeFile(at('file'), '');
      expectRefusal(
        await start(`--data-dir=${at('file')}`, `--socket=${at('x.sock')}`),
        /--data-dir .*not a directory/,
      );
    });

    test('with an unknown option or a bad value names it', async () => {
      expectRefusal(await start('--nosuch'), /'--nosuch'.*bale daemon --help/);
      expectRefusal(await start('--listen-addr=here'), /--listen-addr: "here" is not an IP address/);
      expectRefusal(await start('--log-level=loud'), /--log-level: "loud" is not one of/);
    });

    test('without room on its disk makes no cluster, and says so', async () => {
      await mkdir(at('full'));
      await must('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at('full')]);
      const daemon = outsider.spawn(PROGRAM, [
        ...['daemon', `--engine=unix://${outsider.engineSocket}`, `--data-dir=${at('full')}`],
        ...[`--socket=${at('full.sock')}`, '--listen-addr=127.0.0.1:2397', '--mesh-addr=127.0.0.1:2398'],
      ]);
      try {
        await eventually('its socket', async () => (await socketRequest(at('full.sock'), '/_ping')).status === 200);
        await writeFile(join(at('full'), 'ballast'), Buffer.alloc(65_536)).catch(() => undefined);
        const output = await run(PROGRAM, [
          ...['-H', `unix://${at('full.sock')}`, 'swarm', 'init', '--advertise-addr', '127.0.0.1'],
        ]);
        expectRefusal(output, /no space left|disk is full/i);
        await rm(join(at('full'), 'ballast'));
        expect((await socketRequest(at('full.sock'), '/info')).text).toContain('"LocalNodeState":"inactive"');
      } finally {
        daemon.kill('SIGTERM');
        await eventually('it to end', () => Promise.resolve(daemon.exitCode !== null || daemon.signalCode !== null));
        await must('umount', [at('full')]);
      }
    });
  });

  test('after all of it the cluster is as it was', async () => {
    expect(
      (await nodesOf(manager)).map(({ Description, Status }) => [Description.Hostname, Status.State]).sort(),
    ).toEqual([
      ['h1', 'ready'],
      ['h2', 'ready'],
    ]);
    expect((await ask(worker.address, PORT)).status).toBe(200);
    expect(await readFile(inside(manager, 'bale.log'), 'utf8')).not.toMatch(/"level":60/);
  });
});

const inside = (host: TestHost, path: string): string => join(host.directory, path);
