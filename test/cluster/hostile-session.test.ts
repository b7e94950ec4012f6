import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { IdentitySource } from '../../core/identity.js';
import type { AssignmentSet } from '../../proto/assignment.js';
import type { AgentSession } from '../../proto/cluster-peer.js';
import { openSession } from '../../proto/cluster-client.js';
import type { TaskState } from '../../proto/engine/task-state.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import type { ClusterNode } from '../support/cluster-node.js';
import { hello } from '../support/cluster-session.js';
import { eventually } from '../support/eventually.js';

let swarm: TestCluster;
/** A member whose identity is used by something that is no bale agent. */
let odd: ClusterNode;
const sessions: AgentSession[] = [];

beforeEach(async () => {
  swarm = await startCluster({ workers: 2 });
  const [first] = swarm.workers;
  if (first === undefined) throw new Error('no worker');
  odd = first;
  await swarm.createService('web', 6);
  await swarm.untilRunning('web', 6);
});

afterEach(async () => {
  for (const session of sessions.splice(0)) session.end();
  await swarm.close();
});

interface HandMade {
  readonly session: AgentSession;
  /** How it ended: the error's message, or `in order`. */
  readonly ended: Promise<string>;
  /** Resolves with all assignments so far, once there are `count`. */
  assignments(count: number): Promise<readonly AssignmentSet[]>;
}

/** A session by hand, in the odd one's name. */
function open(over: Parameters<typeof hello>[1] = {}): HandMade {
  const session = openSession(swarm.addr, new IdentitySource(odd.identity));
  sessions.push(session);
  const received: AssignmentSet[] = [];
  let look: () => void = () => undefined;
  session.onMessage((message) => {
    if (message.kind === 'assignments') received.push(message.assignments);
    look();
  });
  const ended = new Promise<string>((resolve) => {
    session.onEnd((error) => {
      resolve(error?.message ?? 'in order');
    });
  });
  session.send(hello('odd', { meshAddr: odd.mesh.addr, ...over }));
  return {
    session,
    ended,
    assignments: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (received.length >= count) resolve(received);
        };
        look();
      }),
  };
}

const say = (session: AgentSession, taskId: string, State: TaskState): void => {
  const status = { Timestamp: new Date().toISOString(), State, Message: 'said by hand' };
  session.send({ kind: 'statuses', statuses: [{ taskId, status }] });
};

describe('statuses that are late or another’s', () => {
  it('change nothing', async () => {
    await odd.stop();
    const [own = ''] = odd.runningTasks;
    const other = swarm.running('web').find(({ NodeID }) => NodeID !== odd.id)?.ID ?? '';
    const { session } = open();
    say(session, own, 'starting');
    say(session, other, 'failed');
    say(session, 'nosuchtask', 'failed');
    say(session, own, 'failed');
    await swarm.until('the one that counts to be written', (api) => api.task(own).Status.State === 'failed');
    say(session, own, 'running');
    say(session, own, 'complete');
    // A node that is down by its own word shows that all before it was read.
    session.send({ kind: 'condition', description: hello('odd').description, engineError: 'marker' });
    await swarm.untilNode(odd.id, 'down');
    expect(swarm.api.task(own).Status.State).toBe('failed');
    expect(swarm.api.task(other).Status.State).toBe('running');
  });
});

describe('assignments', () => {
  it('are numbered without gaps however much changes, and begin anew with each session', async () => {
    await odd.stop();
    const { session, assignments } = open();
    // A node that falls silent gets no work.
    const beats = setInterval(() => {
      session.send({ kind: 'heartbeat' });
    }, 100);
    onTestFinished(() => {
      clearInterval(beats);
    });
    let count = 1;
    for (const replicas of [30, 6, 40, 3]) {
      await assignments(count);
      count += 1;
      await swarm.scale('web', replicas);
    }
    const sets = await assignments(count);
    expect(sets[0]).toMatchObject({ kind: 'complete', resultsIn: 1 });
    expect(sets[0]?.set.map(({ taskId }) => taskId).sort()).toEqual(odd.runningTasks);
    let at = 1;
    for (const set of sets.slice(1)) {
      expect(set).toMatchObject({ kind: 'incremental', appliesTo: at, resultsIn: at + 1 });
      at += 1;
    }
    session.end();
    expect((await open().assignments(1))[0]).toMatchObject({ kind: 'complete', resultsIn: 1 });
  });
});

describe('a node that opens sessions in a loop', () => {
  it('is refused after a few, and the others go on', async () => {
    const others = swarm.nodes.filter((node) => node !== odd);
    const theirs = swarm.running('web').filter(({ NodeID }) => NodeID !== odd.id);
    await odd.stop();
    const endings: string[] = [];
    for (let count = 0; count < 30; count += 1) void open().ended.then((ending) => endings.push(ending));
    await swarm.createService('other', 4);
    // What the odd one is given does not run: nobody is there.
    await swarm.until(
      'the other service to run beside it',
      () => swarm.running('other').length >= 2 && others.every((node) => swarm.node(node.id).Status.State === 'ready'),
    );
    await eventually('many of them to be refused', () =>
      Promise.resolve(endings.filter((ending) => ending.includes('must wait before its next session')).length >= 10),
    );
    for (const node of others) expect(node.agent.session.kind).toBe('connected');
    expect(theirs).toHaveLength(4);
    expect(swarm.running('web').map(({ ID }) => ID)).toEqual(expect.arrayContaining(theirs.map(({ ID }) => ID)));
  });
});

describe('a peer of another protocol version', () => {
  it('is told both versions', async () => {
    await odd.stop();
    const { ended } = open({ protocolVersion: 9, baleVersion: '2.0.0' });
    expect(await ended).toContain('speaks protocol version 9, this side speaks 1');
  });
});
