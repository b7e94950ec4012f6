import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { NodeHealth } from '../../../../manager/node-health/node-health.js';
import type { ProbeAnswer, ProbeTarget } from '../../../../manager/node-health/probe.js';
import { settle } from '../../../support/fake-clock.js';
import { draftNode, draftTask } from '../../../support/stored-objects.js';
import { MANAGER_ID, openTestApi, type TestApi } from '../../../support/test-api.js';

const GRACE = 2_250;
const RUNNING = { Timestamp: '2026-01-01T00:00:00.000Z', State: 'running', Message: 'started' } as const;

let cluster: TestApi;
let health: NodeHealth;
/** What the mesh of each node answers; a node that is not here is cut off. */
const answers = new Map<string, ProbeAnswer>();
const probes: ProbeTarget[] = [];
const endedSessions: string[] = [];

function start(): void {
  health = new NodeHealth({
    store: cluster.store,
    clock: cluster.clock,
    logger: createLogger('silent'),
    grace: () => GRACE,
    probe: (target) => {
      probes.push(target);
      return Promise.resolve(answers.get(target.nodeId) ?? { kind: 'silent', error: 'timeout' });
    },
    endSession: (nodeId) => endedSessions.push(nodeId),
  });
}

const stateOf = (nodeId: string): string => {
  const status = cluster.store.view.get('node', nodeId)?.status;
  return status === undefined ? 'gone' : `${status.state}: ${status.message}`;
};

/** Heartbeats of `nodeIds` each 500 ms for `ms`. */
async function beat(ms: number, ...nodeIds: string[]): Promise<void> {
  for (let rest = ms; rest > 0; rest -= 500) {
    for (const nodeId of nodeIds) health.heard(nodeId);
    await cluster.clock.advance(Math.min(rest, 500));
  }
}

beforeEach(async () => {
  cluster = await openTestApi();
  answers.clear();
  probes.length = 0;
  endedSessions.length = 0;
  await cluster.write((tx) => {
    tx.delete('node', MANAGER_ID);
    for (const id of ['a', 'b']) tx.put('node', draftNode(id, { meshAddr: `127.0.0.1:${id}` }));
    tx.put('task', draftTask('t1', 'web', { nodeId: 'b', status: RUNNING }));
    tx.put('task', draftTask('t2', 'web', { nodeId: 'b', status: RUNNING, desiredState: 'shutdown', slot: 2 }));
  });
  start();
  health.opened('a', '');
  health.opened('b', '');
  await cluster.clock.advance(10);
});

afterEach(async () => {
  await health.close();
  await cluster.store.close();
});

describe('node health', () => {
  it('writes nothing while heartbeats come', async () => {
    const { appends } = cluster.disk;
    await beat(60_000, 'a', 'b');
    expect(cluster.disk.appends).toBe(appends);
    expect(probes).toEqual([]);
    expect(health.suspects.size).toBe(0);
  });

  it('takes a node that was cut off for lost after the grace, ends its session, and takes it back', async () => {
    await beat(1_500, 'a');
    expect(health.suspects).toEqual(new Set(['b']));
    expect(stateOf('b')).toBe('ready: ');
    await beat(1_000, 'a');
    expect(stateOf('b')).toBe('down: heartbeat lost 2.3 s ago');
    expect(endedSessions).toEqual(['b']);
    expect(health.suspects.size).toBe(0);
    health.closed('b', 'broken');
    await beat(60_000, 'a');
    expect(stateOf('b')).toBe('down: heartbeat lost 2.3 s ago');
    health.opened('b', '');
    await cluster.clock.advance(1);
    expect(stateOf('b')).toBe('ready: ');
  });

  it('takes a node for lost within a third of a second when nobody listens on its machine', async () => {
    answers.set('b', { kind: 'refused' });
    health.closed('b', 'broken');
    expect(health.suspects).toEqual(new Set(['b']));
    await cluster.clock.advance(299);
    expect(stateOf('b')).toBe('ready: ');
    await cluster.clock.advance(30);
    expect(stateOf('b')).toBe('down: its daemon and mesh are gone (connection refused)');
  });

  it('keeps a node whose mesh vouches, for 30 s', async () => {
    answers.set('b', { kind: 'vouch', vouch: { nodeId: 'b', alive: ['t1'], dead: [] } });
    health.closed('b', 'broken');
    await beat(29_000, 'a');
    expect(stateOf('b')).toBe('ready: its daemon does not answer; its mesh says that its containers run');
    expect(health.suspects).toEqual(new Set(['b']));
    await beat(1_500, 'a');
    expect(stateOf('b')).toBe('down: its daemon did not return within 30.0 s');
  });

  it('forgets the suspicion when the daemon is back', async () => {
    answers.set('b', { kind: 'vouch', vouch: { nodeId: 'b', alive: ['t1'], dead: [] } });
    health.closed('b', 'broken');
    await beat(3_000, 'a');
    health.opened('b', '');
    expect(health.suspects.size).toBe(0);
    await beat(60_000, 'a', 'b');
    expect(stateOf('b')).toBe('ready: ');
  });

  it('writes the ends of containers that a mesh saw', async () => {
    answers.set('b', { kind: 'vouch', vouch: { nodeId: 'b', alive: [], dead: ['t1', 't2', 'unknown'] } });
    health.closed('b', 'broken');
    await cluster.clock.advance(10);
    expect(cluster.store.view.get('task', 't1')?.status).toMatchObject({
      State: 'failed',
      Err: 'its container ended while the daemon of its node was away',
    });
    expect(cluster.store.view.get('task', 't2')?.status.State).toBe('shutdown');
  });

  it('believes no answer that is older than the last word of the agent', async () => {
    let answer: (answer: ProbeAnswer) => void = () => undefined;
    await health.close();
    health = new NodeHealth({
      store: cluster.store,
      clock: cluster.clock,
      logger: createLogger('silent'),
      grace: () => GRACE,
      probe: () => new Promise((resolve) => (answer = resolve)),
      endSession: () => undefined,
    });
    health.opened('b', '');
    health.closed('b', 'broken');
    await cluster.clock.advance(10);
    health.opened('b', '');
    answer({ kind: 'vouch', vouch: { nodeId: 'b', alive: [], dead: ['t1'] } });
    await cluster.clock.advance(10);
    expect(cluster.store.view.get('task', 't1')?.status.State).toBe('running');
  });

  it('asks no more than 32 meshes at a time, and all of them in the end', async () => {
    const waiting: ((answer: ProbeAnswer) => void)[] = [];
    const asked = new Set<string>();
    let most = 0;
    await health.close();
    const ids = Array.from({ length: 100 }, (_, at) => `n${at}`);
    await cluster.write((tx) => {
      for (const id of ids) tx.put('node', draftNode(id, { meshAddr: '127.0.0.1:1' }));
    });
    health = new NodeHealth({
      store: cluster.store,
      clock: cluster.clock,
      logger: createLogger('silent'),
      grace: () => GRACE,
      probe: ({ nodeId }) =>
        new Promise((resolve) => {
          asked.add(nodeId);
          waiting.push(resolve);
          most = Math.max(most, waiting.length);
        }),
      endSession: () => undefined,
    });
    for (let turn = 0; turn < 20; turn += 1) {
      await cluster.clock.advance(10);
      for (const answer of waiting.splice(0)) answer({ kind: 'silent', error: 'cut' });
    }
    expect(most).toBe(32);
    expect(ids.every((id) => asked.has(id))).toBe(true);
  });

  it('calls a node disconnected that said goodbye, as long as its mesh answers', async () => {
    answers.set('b', { kind: 'vouch', vouch: { nodeId: 'b', alive: ['t1'], dead: [] } });
    health.closed('b', 'goodbye');
    await beat(120_000, 'a');
    expect(stateOf('b')).toBe('disconnected: its daemon was stopped; its containers run on');
    answers.delete('b');
    await beat(4_000, 'a');
    expect(stateOf('b')).toBe('down: its daemon was stopped and its mesh does not answer');
  });

  it('calls a node that leaves down before the call is answered', async () => {
    await health.left('b');
    expect(stateOf('b')).toBe('down: left the cluster');
    health.closed('b', 'broken');
    await beat(5_000, 'a', 'b');
    expect(stateOf('b')).toBe('down: left the cluster');
    health.opened('b', '');
    await cluster.clock.advance(1);
    expect(stateOf('b')).toBe('ready: ');
  });

  it('says what the Engine said, and heals with it', async () => {
    health.opened('b', 'cannot connect');
    await cluster.clock.advance(1);
    expect(stateOf('b')).toBe('down: Docker Engine: cannot connect');
    health.opened('b', '');
    await cluster.clock.advance(1);
    expect(stateOf('b')).toBe('ready: ');
  });

  it('gives every node 10 s after a restart of the manager', async () => {
    await health.close();
    start();
    expect(health.suspects).toEqual(new Set(['a', 'b']));
    await cluster.clock.advance(5_000);
    health.opened('a', '');
    await beat(4_500, 'a');
    expect(stateOf('b')).toBe('ready: ');
    await beat(1_000, 'a');
    expect(stateOf('a')).toBe('ready: ');
    expect(stateOf('b')).toBe('down: its agent did not connect within 10.0 s');
  });

  it('does not take its own stall for silence of others', async () => {
    await beat(1_000, 'a', 'b');
    // The process was stopped for a minute: time passed, nothing of it ran.
    cluster.clock.jump(60_000);
    await cluster.clock.advance(400);
    expect(stateOf('a')).toBe('ready: ');
    await beat(5_000, 'a', 'b');
    expect(stateOf('a')).toBe('ready: ');
    expect(endedSessions).toEqual([]);
  });

  it('forgets a removed node and waits for a new one', async () => {
    await cluster.write((tx) => {
      tx.delete('node', 'b');
      tx.put('node', draftNode('c', { status: { state: 'unknown', message: 'joined', addr: '' } }));
    });
    await beat(9_000, 'a');
    expect(stateOf('c')).toBe('unknown: joined');
    await beat(2_000, 'a');
    expect(stateOf('c')).toBe('down: its agent did not connect within 10.0 s');
    expect(health.suspects.size).toBe(0);
    await settle();
  });
});
