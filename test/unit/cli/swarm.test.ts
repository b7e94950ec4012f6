import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../../cli/main.js';
import { scriptedDaemon, type ScriptedAnswer } from '../../support/scripted-daemon.js';

const SPEC = {
  Name: 'default',
  Labels: { a: 'b' },
  Orchestration: { TaskHistoryRetentionLimit: 5 },
  Raft: { SnapshotInterval: 10_000 },
  Dispatcher: { HeartbeatPeriod: 5e9 },
  CAConfig: { NodeCertExpiry: 7_776e12 },
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
  Unknown: 1,
};
const SWARM = { Version: { Index: 7 }, Spec: SPEC, TLSInfo: { TrustRoot: 'the root\n' } };
const UPDATE = 'POST /swarm/update?version=7&rotateWorkerToken=false&rotateManagerToken=false&rotateManagerUnlockKey=';

interface Scene {
  readonly autolock?: boolean;
  readonly key?: string;
}

async function ran(words: readonly string[], { autolock = false, key = '' }: Scene = {}) {
  let printed = '';
  const answers: Readonly<Record<string, ScriptedAnswer>> = {
    'GET /swarm': { body: { ...SWARM, Spec: { ...SPEC, EncryptionConfig: { AutoLockManagers: autolock } } } },
    'GET /swarm/unlockkey': { body: { UnlockKey: key } },
    'POST /swarm/update': {},
  };
  await using daemon = await scriptedDaemon((request) => answers[request]);
  const code = await runCli(['-H', daemon.host, 'swarm', ...words], {
    print: (text) => void (printed += text),
    warn: (text) => void (printed += text),
    terminal: undefined,
  });
  return { code, printed, changes: [...daemon.changes] };
}

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bale-swarm-cli-'));
  await writeFile(join(scratch, 'ca.pem'), 'a root');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test.each([
  ['--task-history-limit -1', { Orchestration: { TaskHistoryRetentionLimit: -1 } }],
  ['--dispatcher-heartbeat 2s', { Dispatcher: { HeartbeatPeriod: 2e9 } }],
  ['--cert-expiry 720h', { CAConfig: { NodeCertExpiry: 2_592e12 } }],
  ['--max-snapshots 3 --snapshot-interval 9', { Raft: { SnapshotInterval: 9, KeepOldSnapshots: 3 } }],
  [
    '--external-ca protocol=cfssl,url=https://ca,x=y',
    { CAConfig: { ...SPEC.CAConfig, ExternalCAs: [{ Protocol: 'cfssl', URL: 'https://ca', Options: { x: 'y' } }] } },
  ],
])('swarm update %s sends that and all else as it was', async (flags, changed) => {
  const { code, printed, changes } = await ran(['update', ...flags.split(' ')]);
  expect([code, printed]).toEqual([0, 'Swarm updated.\n']);
  expect(changes).toEqual([{ request: `${UPDATE}false`, body: { ...SPEC, ...changed } }]);
});

test.each(['--autolock', '--autolock=true'])('swarm update %s asks for a lock, and shows the key', async (flag) => {
  const { printed, changes } = await ran(['update', flag], { key: 'SWMKEY-1-x' });
  expect(changes.map(({ body }) => body)).toEqual([{ ...SPEC, EncryptionConfig: { AutoLockManagers: true } }]);
  expect(printed).toMatch(/^Swarm updated\.\nTo unlock a swarm manager .*\n.*\n\n {4}SWMKEY-1-x\n/);
});

test('swarm update --autolock=false takes the lock away', async () => {
  const { printed, changes } = await ran(['update', '--autolock=false'], { autolock: true });
  expect(changes.map(({ body }) => body)).toEqual([SPEC]);
  expect(printed).toBe('Swarm updated.\n');
});

test('swarm update without a flag prints its help and changes nothing', async () => {
  const { code, printed, changes } = await ran(['update']);
  expect([code, changes]).toEqual([0, []]);
  expect(printed).toContain('Usage: bale swarm update');
});

test('swarm ca prints the root, and asks for a new one with --rotate', async () => {
  expect(await ran(['ca'])).toEqual({ code: 0, printed: 'the root\n', changes: [] });
  const { changes } = await ran(['ca', '--rotate', '--ca-cert', join(scratch, 'ca.pem')]);
  expect(changes.map(({ body }) => body)).toEqual([
    { ...SPEC, CAConfig: { ...SPEC.CAConfig, SigningCACert: 'a root', ForceRotate: 1 } },
  ]);
});

test.each<[string, Scene, string]>([
  ['update --autolock=perhaps', {}, 'invalid argument "perhaps" for "--autolock"'],
  ['update --task-history-limit many', {}, 'invalid argument "many" for "--task-history-limit"'],
  ['update --external-ca cfssl', {}, 'must be a key=value pair'],
  ['ca --cert-expiry 1h', {}, 'it needs --rotate'],
  // The scripted daemon is in no cluster.
  ['unlock', {}, 'This node is not part of a swarm'],
  ['unlock-key', {}, 'no unlock key is set'],
  ['unlock-key --rotate', {}, 'cannot rotate because autolock is not turned on'],
])('swarm %s is refused, and nothing is changed', async (line, scene, reason) => {
  const { code, printed, changes } = await ran(line.split(' '), scene);
  expect([code, changes]).toEqual([1, []]);
  expect(printed).toContain(reason);
});

test('swarm unlock-key prints the key, and rotates it', async () => {
  expect((await ran(['unlock-key', '-q'], { autolock: true, key: 'k1' })).printed).toBe('k1\n');
  const { printed, changes } = await ran(['unlock-key', '--rotate'], { autolock: true, key: 'k2' });
  expect(changes.map(({ request }) => request)).toEqual([`${UPDATE}true`]);
  expect(printed).toMatch(/^Successfully rotated manager unlock key\.\n\nTo unlock .*\n.*\n\n {4}k2\n/);
});
