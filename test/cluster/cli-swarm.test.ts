import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import type { SwarmDocument } from '../../proto/engine/swarm-document.js';
import { DaemonCluster, type DaemonNode } from '../support/daemon-cluster.js';

let cluster: DaemonCluster;
let manager: DaemonNode;
beforeAll(async () => {
  cluster = await DaemonCluster.start();
  manager = await cluster.node('m');
});
afterAll(() => cluster.end());

async function bale(...words: string[]): Promise<{ code: number; printed: string; warned: string }> {
  let printed = '';
  let warned = '';
  const code = await runCli(['-H', `unix://${manager.options.socket}`, 'swarm', ...words], {
    print: (text) => void (printed += text),
    warn: (text) => void (warned += text),
    terminal: undefined,
  });
  return { code, printed, warned };
}

const swarm = async (): Promise<SwarmDocument> => (await manager.client.document('/swarm')) as SwarmDocument;

test.each([
  [['init', '--force-new-cluster'], 'ForceNewCluster'],
  [['init', '--autolock'], 'AutoLockManagers'],
  [['init', '--default-addr-pool', '10.0.0.0/8'], 'DefaultAddrPool'],
  [['init', '--data-path-addr', '127.0.0.1'], 'DataPathAddr'],
])('bale swarm %j is refused by name, and makes no cluster', async (words, field) => {
  const { code, warned } = await bale(...words);
  expect(code).toBe(1);
  expect(warned).toMatch(new RegExp(`${field}.* is not implemented yet`));
  expect((await manager.client.ask('/swarm')).status).toBe(503);
});

test('bale swarm init, update, ca and leave, one after the other', async () => {
  const made = await bale('init', '--task-history-limit', '3', '--dispatcher-heartbeat', '2s');
  expect(made).toMatchObject({ code: 0, warned: '' });
  const { Spec, JoinTokens, TLSInfo } = await swarm();
  expect(made.printed).toContain(`bale swarm join --token ${JoinTokens?.Worker ?? ''} ${manager.listenAddr}`);
  expect(Spec).toMatchObject({
    Orchestration: { TaskHistoryRetentionLimit: 3 },
    Dispatcher: { HeartbeatPeriod: 2e9 },
    CAConfig: { NodeCertExpiry: 7_776e12 },
  });

  expect(await bale('update', '--cert-expiry', '720h')).toEqual({ code: 0, printed: 'Swarm updated.\n', warned: '' });
  expect((await swarm()).Spec).toEqual({ ...Spec, CAConfig: { ...Spec.CAConfig, NodeCertExpiry: 2_592e12 } });
  expect(await bale('ca')).toEqual({ code: 0, printed: TLSInfo.TrustRoot, warned: '' });

  const before = await swarm();
  for (const [words, reason] of [
    [['update', '--autolock'], 'EncryptionConfig.AutoLockManagers is not implemented yet'],
    [['update', '--max-snapshots', '3'], 'Raft.KeepOldSnapshots'],
    [['update', '--external-ca', 'protocol=cfssl,url=https://ca.test'], 'CAConfig.ExternalCAs is not implemented yet'],
    [['update', '--cert-expiry', '1m'], 'minimum certificate expiry time is: 1h0m0s'],
    [['ca', '--rotate'], 'CAConfig.ForceRotate is not implemented yet'],
    [['leave'], 'Removing the last manager erases all current state of the swarm'],
  ] as const) {
    const { code, warned } = await bale(...words);
    expect([words, code, warned]).toEqual([words, 1, expect.stringContaining(reason)]);
  }
  expect(await swarm()).toEqual(before);

  expect(await bale('leave', '--force')).toEqual({ code: 0, printed: 'Node left the swarm.\n', warned: '' });
  expect((await bale('leave')).warned).toContain('This node is not part of a swarm');
});
