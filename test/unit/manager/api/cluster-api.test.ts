import { beforeEach, describe, expect, it } from 'vitest';
import { issuerInfo } from '../../../../core/x509.js';
import { parseJoinToken } from '../../../../proto/join-token.js';
import { caughtAsync } from '../../../support/caught.js';
import { draftNode } from '../../../support/stored-objects.js';
import { MANAGER_ID, openTestApi, type TestApi } from '../../../support/test-api.js';

const NO_ROTATION = { worker: false, manager: false, unlockKey: false };

let test: TestApi;
beforeEach(async () => {
  test = await openTestApi();
});

const version = (): string => String(test.api.swarm().Version.Index);
const tokens = () => test.api.swarm().JoinTokens;

describe('the swarm', () => {
  it('is shown in the shape of the Engine, with its join tokens', () => {
    const shown = test.api.swarm();
    expect(shown).toMatchObject({
      ID: 'cluster',
      Version: { Index: 1 },
      Spec: { Name: 'default', Labels: {}, Orchestration: { TaskHistoryRetentionLimit: 5 } },
      TLSInfo: issuerInfo(test.rootCertificate),
      RootRotationInProgress: false,
      DefaultAddrPool: null,
      SubnetSize: 24,
      DataPathPort: 4789,
    });
    expect(parseJoinToken(shown.JoinTokens?.Worker ?? '').secret).toBe('w'.repeat(25));
    expect(parseJoinToken(shown.JoinTokens?.Manager ?? '').secret).toBe('m'.repeat(25));
  });

  it('is told of in /info without the tokens', async () => {
    await test.write((tx) => tx.put('node', draftNode('worker')));
    const info = test.api.info();
    const { JoinTokens, ...cluster } = test.api.swarm();
    expect(JoinTokens).toBeDefined();
    expect(info).toEqual({
      Nodes: 2,
      Managers: 1,
      Cluster: cluster,
      RemoteManagers: [{ NodeID: MANAGER_ID, Addr: '127.0.0.1:2377' }],
    });
  });

  it('takes back what it showed', async () => {
    const { Spec } = test.api.swarm();
    await test.api.updateSwarm(version(), JSON.parse(JSON.stringify(Spec)), NO_ROTATION);
    expect(test.api.swarm().Spec).toEqual(Spec);
  });

  it('changes what can be changed', async () => {
    await test.api.updateSwarm(
      version(),
      { Orchestration: { TaskHistoryRetentionLimit: 2 }, Dispatcher: { HeartbeatPeriod: 1e9 } },
      NO_ROTATION,
    );
    expect(test.api.swarm().Spec).toMatchObject({
      Orchestration: { TaskHistoryRetentionLimit: 2 },
      Dispatcher: { HeartbeatPeriod: 1e9 },
      CAConfig: { NodeCertExpiry: 7_776e12 },
    });
  });

  it('rotates one token and keeps the other', async () => {
    const before = tokens();
    await test.api.updateSwarm(version(), test.api.swarm().Spec, { ...NO_ROTATION, worker: true });
    const after = tokens();
    expect(after?.Manager).toBe(before?.Manager);
    expect(after?.Worker).not.toBe(before?.Worker);
    expect(parseJoinToken(after?.Worker ?? '').rootDigest).toBe(parseJoinToken(before?.Worker ?? '').rootDigest);
    await test.api.updateSwarm(version(), test.api.swarm().Spec, { ...NO_ROTATION, manager: true });
    expect(tokens()?.Manager).not.toBe(before?.Manager);
    expect(tokens()?.Worker).toBe(after?.Worker);
  });

  it('lets one of two clients that rotate at once rotate', async () => {
    const at = version();
    const spec = test.api.swarm().Spec;
    const rotate = () => test.api.updateSwarm(at, spec, { ...NO_ROTATION, worker: true });
    const both = await Promise.allSettled([rotate(), rotate()]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await caughtAsync(rotate())).toMatchObject({
      kind: 'out-of-sequence',
      message: 'rpc error: code = Unknown desc = update out of sequence',
    });
  });

  it('refuses a wrong version, a wrong spec and an unlock key, and changes nothing', async () => {
    const { index } = test.store.view;
    const spec = test.api.swarm().Spec;
    const update = (at: string | undefined, body: unknown, unlockKey = false) =>
      caughtAsync(test.api.updateSwarm(at, body, { worker: true, manager: true, unlockKey }));
    expect((await update(undefined, spec))?.message).toBe(
      'invalid swarm version \'\': strconv.ParseUint: parsing "": invalid syntax',
    );
    expect((await update(version(), { ...spec, Name: 'x' }))?.message).toContain('must be named "default"');
    expect((await update(version(), { ...spec, Raft: { ElectionTick: 3 } }))?.kind).toBe('unimplemented');
    expect((await update(version(), spec, true))?.message).toContain('rotateManagerUnlockKey is not implemented yet');
    expect(test.store.view.index).toBe(index);
  });
});
