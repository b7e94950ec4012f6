import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.js';
import { IdentitySource, type NodeIdentity } from '../../core/identity.js';
import { createLogger } from '../../core/logger.js';
import { initCluster } from '../../manager/init-cluster.js';
import type { Manager } from '../../manager/manager-types.js';
import { startManager } from '../../manager/manager.js';
import { decodeSwarmSpec } from '../../proto/engine/swarm-spec-shape.js';
import { caughtAsync } from '../support/caught.js';

let stateDir: string;
const managers: Manager[] = [];

const init = (signal = AbortSignal.timeout(10_000)): Promise<NodeIdentity> =>
  initCluster({
    stateDir,
    spec: decodeSwarmSpec({}),
    availability: 'active',
    advertiseAddr: '127.0.0.1:2377',
    clock: systemClock,
    signal,
  });

async function start(identity: NodeIdentity, listenAddr = '127.0.0.1:0'): Promise<Manager> {
  const manager = await startManager({
    stateDir,
    identity: new IdentitySource(identity),
    listenAddr,
    advertiseAddr: '127.0.0.1:2377',
    clock: systemClock,
    logger: createLogger('silent'),
  });
  managers.push(manager);
  return manager;
}

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'bale-manager-'));
});

afterEach(async () => {
  for (const manager of managers.splice(0)) await manager.close();
  await rm(stateDir, { recursive: true, force: true });
});

describe('a new cluster', () => {
  it('is made with less than a second of work, its key for the owner alone', async () => {
    const before = process.cpuUsage();
    const identity = await init();
    // Not by the clock: what else the machine does is no matter of it.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1_000);
    expect((await readdir(stateDir)).sort()).toEqual(['ca.key', 'journal']);
    expect((await stat(join(stateDir, 'ca.key'))).mode & 0o777).toBe(0o600);
    const { api } = await start(identity);
    expect(api.swarm().ID).toBe(identity.clusterId);
    expect(api.nodes({})).toMatchObject([
      {
        ID: identity.nodeId,
        Spec: { Role: 'manager', Availability: 'active' },
        ManagerStatus: { Leader: true, Addr: '127.0.0.1:2377' },
      },
    ]);
  });

  it('keeps the root’s key out of everything but its file', async () => {
    const identity = await init();
    const key = (await readFile(join(stateDir, 'ca.key'), 'utf8')).split('\n')[1] ?? '';
    expect(key.length).toBeGreaterThan(40);
    for (const file of await readdir(join(stateDir, 'journal'))) {
      expect(await readFile(join(stateDir, 'journal', file), 'latin1')).not.toContain(key);
    }
    expect(JSON.stringify(identity)).not.toContain(key);
  });

  it('takes the place of one that was half made', async () => {
    await init();
    await rm(join(stateDir, 'journal', 'CURRENT'));
    const identity = await init();
    const { api } = await start(identity);
    expect(api.nodes({})).toHaveLength(1);
  });

  it('is not made when the caller has given up', async () => {
    await expect(init(AbortSignal.abort())).rejects.toThrow();
    expect(await readdir(stateDir)).toEqual([]);
  });
});

describe('a manager that cannot start says why, once, and lets go of its state', () => {
  let identity: NodeIdentity;
  beforeEach(async () => {
    identity = await init();
  });

  it('when its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    expect(await caughtAsync(start(identity, `127.0.0.1:${port}`))).toMatchObject({ code: 'BALE_LISTEN_FAILED' });
    await new Promise((resolve) => other.close(resolve));
    await start(identity);
  });

  it('when the key of its authority is missing, or another', async () => {
    const keyFile = join(stateDir, 'ca.key');
    const key = await readFile(keyFile, 'utf8');
    await rm(keyFile);
    const missing = await caughtAsync(start(identity));
    expect(missing).toMatchObject({ code: 'BALE_CA_KEY_MISSING' });
    expect(missing?.message).toContain(keyFile);
    await writeFile(keyFile, 'no key');
    expect(await caughtAsync(start(identity))).toMatchObject({ code: 'BALE_STATE_FOREIGN' });
    await writeFile(keyFile, key);
    await start(identity);
  });

  it('when the key of its secrets is missing, or another; without secrets it makes one', async () => {
    const keyFile = join(stateDir, 'data.key');
    const manager = await start(identity);
    await manager.api.secrets.create({ Name: 'a', Data: Buffer.from('value').toString('base64') });
    await manager.close();
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    const key = await readFile(keyFile, 'utf8');
    await rm(keyFile);
    const missing = await caughtAsync(start(identity));
    expect(missing).toMatchObject({ code: 'BALE_DATA_KEY_MISSING' });
    expect(missing?.message).toContain(keyFile);
    for (const other of ['no key', Buffer.alloc(32, 1).toString('base64')]) {
      await writeFile(keyFile, other);
      expect(await caughtAsync(start(identity))).toMatchObject({ code: 'BALE_DATA_KEY_WRONG' });
    }
    await writeFile(keyFile, key);
    await start(identity);
  });

  it('not when its state was written by an earlier bale', async () => {
    const journal = join(stateDir, 'journal');
    const put = async (format: string): Promise<void> => {
      const database = new Level(journal);
      await database.put('meta!format', format, { sync: true });
      await database.close();
    };
    await put('1');
    const manager = await start(identity);
    await manager.close();
    const database = new Level(journal);
    expect(await database.get('meta!format')).toBe('3');
    await database.close();
  });

  it('when its state was written by a newer bale', async () => {
    const database = new Level(join(stateDir, 'journal'));
    await database.put('meta!format', '99', { sync: true });
    await database.close();
    const error = await caughtAsync(start(identity));
    expect(error).toMatchObject({ code: 'BALE_JOURNAL_TOO_NEW' });
    expect(error?.message).toContain('has format 99, written by a newer bale');
  });

  it('when its state is that of another cluster', async () => {
    const other = { ...identity, clusterId: 'another' };
    expect(await caughtAsync(start(other))).toMatchObject({
      code: 'BALE_STATE_FOREIGN',
      message: expect.stringContaining(
        `it is of cluster ${identity.clusterId}, the identity is of cluster another`,
      ) as string,
    });
  });

  it('when another manager runs on it', async () => {
    await start(identity);
    expect(await caughtAsync(start(identity))).toMatchObject({ code: 'BALE_JOURNAL_LOCKED' });
  });
});
