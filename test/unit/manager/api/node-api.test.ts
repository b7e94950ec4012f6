import { beforeEach, describe, expect, it } from 'vitest';
import { issuerInfo } from '../../../../core/x509.js';
import type { NodeState } from '../../../../proto/engine/node-document.js';
import { caught, caughtAsync } from '../../../support/caught.js';
import { draftNode, draftTask } from '../../../support/stored-objects.js';
import { machine, MANAGER_ID, openTestApi, type TestApi } from '../../../support/test-api.js';

const DAY = 86_400_000;

let test: TestApi;
beforeEach(async () => {
  test = await openTestApi();
});

const addNode = (id: string, hostname: string, state: NodeState = 'ready', labels: Record<string, string> = {}) =>
  test.write((tx) =>
    tx.put(
      'node',
      draftNode(id, {
        spec: { Labels: labels, Role: 'worker', Availability: 'active' },
        description: machine(hostname, { disk: 'ssd' }),
        status: { state, message: '', addr: '10.0.0.2' },
        certificateExpiry: test.clock.now() + 90 * DAY,
      }),
    ),
  );

describe('showing nodes', () => {
  it('shows a manager in the shape of the Engine', () => {
    expect(test.api.node(MANAGER_ID)).toEqual({
      ID: MANAGER_ID,
      Version: { Index: 1 },
      CreatedAt: '2026-01-01T00:00:00.000Z',
      UpdatedAt: '2026-01-01T00:00:00.000Z',
      Spec: { Labels: {}, Role: 'manager', Availability: 'active' },
      Description: { ...machine('vm'), TLSInfo: issuerInfo(test.rootCertificate) },
      Status: { State: 'ready', Addr: '127.0.0.1' },
      ManagerStatus: { Leader: true, Reachability: 'reachable', Addr: '127.0.0.1:2377' },
    });
  });

  it('shows a worker without ManagerStatus, and one that never came as an unknown machine', async () => {
    await addNode('worker', 'w');
    expect(test.api.node('worker')).not.toHaveProperty('ManagerStatus');
    await test.write((tx) =>
      tx.put('node', draftNode('new', { status: { state: 'unknown', message: 'no session yet', addr: '' } })),
    );
    expect(test.api.node('new')).toMatchObject({
      Description: { Hostname: '', Platform: {}, Resources: {}, Engine: { EngineVersion: '', Plugins: [] } },
      Status: { State: 'unknown', Message: 'no session yet', Addr: '' },
    });
  });

  it('finds one by id, hostname or the beginning of its id; not self', async () => {
    await addNode('workerone', 'w');
    for (const wanted of ['workerone', 'w', 'worker']) expect(test.api.node(wanted).ID).toBe('workerone');
    expect(caught(() => test.api.node('self'))).toMatchObject({ kind: 'not-found', message: 'node self not found' });
  });

  it('says that a hostname is ambiguous', async () => {
    await addNode('a', 'same');
    await addNode('b', 'same');
    expect(caught(() => test.api.node('same'))).toMatchObject({
      kind: 'invalid',
      message: 'node same is ambiguous (2 matches found)',
    });
  });

  it('lists by id, and filters', async () => {
    await addNode('zz', 'host-z', 'ready', { zone: 'a' });
    await addNode('aa', 'host-a');
    const ids = (filters: Record<string, string[]>) => test.api.nodes(filters).map((node) => node.ID);
    expect(ids({})).toEqual(['aa', MANAGER_ID, 'zz']);
    expect(ids({ role: ['manager'] })).toEqual([MANAGER_ID]);
    expect(ids({ role: ['Worker'] })).toEqual(['aa', 'zz']);
    expect(ids({ name: ['host'] })).toEqual(['aa', 'zz']);
    expect(ids({ id: ['z'] })).toEqual(['zz']);
    expect(ids({ 'node.label': ['zone=a'] })).toEqual(['zz']);
    expect(ids({ label: ['disk=ssd'] })).toEqual(['aa', 'zz']);
    expect(ids({ label: ['zone=a'] })).toEqual([]);
    expect(ids({ membership: ['accepted'] })).toHaveLength(3);
    expect(ids({ membership: ['pending'] })).toEqual([]);
    expect(ids({ role: [''] })).toHaveLength(3);
  });

  it.each([
    ["Invalid filter 'foo'", { foo: ['x'] }],
    ["Invalid role filter: 'boss'", { role: ['boss'] }],
    ["Invalid membership filter: 'none'", { membership: ['none'] }],
  ])('refuses %s', (message, filters: Record<string, string[]>) => {
    expect(caught(() => test.api.nodes(filters))).toMatchObject({ kind: 'invalid', message });
  });
});

describe('removing a node', () => {
  const removed = () => test.store.view.get('cluster', 'cluster')?.removedNodes;

  it('refuses one that is ready', async () => {
    await addNode('worker', 'w');
    expect(await caughtAsync(test.api.removeNode('w', false))).toEqual({
      kind: 'failed-precondition',
      code: 'BALE_NODE_NOT_DOWN',
      message: "rpc error: code = FailedPrecondition desc = node worker is not down and can't be removed",
    });
    expect(test.store.view.count('node')).toBe(2);
  });

  it.each([false, true])('refuses a manager (force=%s)', async (force) => {
    expect(await caughtAsync(test.api.removeNode('vm', force))).toEqual({
      kind: 'failed-precondition',
      code: 'BALE_NODE_IS_MANAGER',
      message: `rpc error: code = FailedPrecondition desc = node ${MANAGER_ID} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`,
    });
  });

  it.each([
    ['down', false],
    ['disconnected', false],
    ['ready', true],
  ] as const)('removes one that is %s (force=%s), and refuses its certificate past its end', async (state, force) => {
    await addNode('worker', 'w', state);
    await test.api.removeNode('w', force);
    expect(test.store.view.get('node', 'worker')).toBeUndefined();
    expect(removed()).toEqual({ worker: test.clock.now() + 97 * DAY });
  });

  it('does not move the version of the cluster, whose spec is the same', async () => {
    const before = test.api.swarm().Version;
    await addNode('worker', 'w', 'down');
    await test.api.removeNode('worker', false);
    expect(test.api.swarm().Version).toEqual(before);
  });

  it('forgets nodes whose certificates are long over', async () => {
    await addNode('one', 'w', 'down');
    await test.api.removeNode('one', false);
    await test.clock.advance(98 * DAY);
    await addNode('two', 'w', 'down');
    await test.api.removeNode('two', false);
    expect(Object.keys(removed() ?? {})).toEqual(['two']);
  });

  it("leaves the node's tasks to the orchestrator", async () => {
    await addNode('worker', 'w', 'down');
    await test.write((tx) => tx.put('task', draftTask('t', 's', { nodeId: 'worker' })));
    const before = test.store.view.get('task', 't');
    await test.api.removeNode('worker', false);
    expect(test.store.view.get('task', 't')).toBe(before);
  });

  it('says when it is not there', async () => {
    expect(await caughtAsync(test.api.removeNode('nosuch', true))).toMatchObject({
      kind: 'not-found',
      message: 'node nosuch not found',
    });
  });
});

describe('updating a node', () => {
  it('sets availability and labels, and moves the version', async () => {
    const before = test.api.node(MANAGER_ID);
    const body = { ...before.Spec, Availability: 'drain', Labels: { zone: 'a' } };
    await test.api.updateNode('vm', String(before.Version.Index), body);
    const after = test.api.node(MANAGER_ID);
    expect(after.Spec).toEqual(body);
    expect(after.Version.Index).toBeGreaterThan(before.Version.Index);
    await expect(test.api.updateNode('vm', String(before.Version.Index), body)).rejects.toThrow(
      'update out of sequence',
    );
  });

  it('changes nothing when it is sent what it is', async () => {
    const { Version, Spec } = test.api.node(MANAGER_ID);
    await test.api.updateNode(MANAGER_ID, String(Version.Index), Spec);
    expect(test.api.node(MANAGER_ID).Version).toEqual(Version);
  });

  it.each([
    ['another role', { Role: 'worker', Availability: 'active' }, 'attempting to demote the last manager of the swarm'],
    ['an unknown availability', { Role: 'manager', Availability: 'off' }, 'invalid NodeSpec: Availability'],
  ])('refuses %s', async (_what, body, message) => {
    const { Version } = test.api.node(MANAGER_ID);
    await expect(test.api.updateNode(MANAGER_ID, String(Version.Index), body)).rejects.toThrow(message);
  });
});

describe('draining a node within limits', () => {
  beforeEach(() => addNode('w1', 'w'));
  const drain = (deadline?: string, maxParallel?: string, version?: string) =>
    test.api.drainNode('w', version, { deadline, maxParallel });

  it('shows them, and how many tasks are left, until it takes tasks again', async () => {
    await test.write((tx) => {
      tx.put('task', draftTask('t1', 'web', { nodeId: 'w1' }));
      const ended = { Timestamp: '', State: 'complete' as const, Message: '' };
      tx.put('task', draftTask('t2', 'web', { nodeId: 'w1', status: ended }));
    });
    await drain('1m30s', '2', String(test.api.node('w').Version.Index));
    expect(test.api.node('w')).toMatchObject({
      Spec: { Availability: 'drain' },
      drain: {
        since: '2026-01-01T00:00:00.000Z',
        deadline: '2026-01-01T00:01:30.000Z',
        maxParallel: 2,
        tasksLeft: 1,
      },
    });
    const { Version, Spec } = test.api.node('w');
    await test.api.updateNode('w', String(Version.Index), { ...Spec, Availability: 'active' });
    expect(test.api.node('w')).not.toHaveProperty('drain');
  });

  it('an update of its availability drains it without limits', async () => {
    const { Version, Spec } = test.api.node('w');
    await test.api.updateNode('w', String(Version.Index), { ...Spec, Availability: 'drain' });
    expect(test.api.node('w').drain).toEqual({ since: '2026-01-01T00:00:00.000Z', tasksLeft: 0 });
  });

  it.each([
    ['deadline', 'soon', undefined],
    ['deadline', '0s', undefined],
    ['deadline', '-1s', undefined],
    ['max-parallel', undefined, '0'],
    ['max-parallel', undefined, '-1'],
    ['max-parallel', undefined, 'all'],
    ['max-parallel', undefined, '1.5'],
  ])('a wrong %s is refused by name, and nothing is written', async (name, deadline, maxParallel) => {
    const before = test.api.node('w');
    const error = await caughtAsync(drain(deadline, maxParallel));
    expect(error).toMatchObject({ kind: 'invalid' });
    expect(error?.message.startsWith(`${name}: `)).toBe(true);
    expect(test.api.node('w')).toEqual(before);
  });

  it('a version that is not the present one is out of sequence', async () => {
    expect(await caughtAsync(drain(undefined, undefined, '999'))).toMatchObject({ kind: 'out-of-sequence' });
    expect(
      await caughtAsync(test.api.drainNode('nobody', undefined, { deadline: undefined, maxParallel: undefined })),
    ).toMatchObject({ kind: 'not-found' });
  });
});
