import { afterEach, describe, expect, it } from 'vitest';
import { startCluster, type ClusterOptions, type TestCluster } from '../support/cluster.js';
import type { ClusterNode } from '../support/cluster-node.js';
import { eventually } from '../support/eventually.js';

let cluster: TestCluster | undefined;
const start = async (options: ClusterOptions): Promise<TestCluster> => (cluster = await startCluster(options));
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** Three nodes with two replicas each, and one of its workers. */
async function startLoaded(spec: ClusterOptions['spec'] = {}): Promise<{ swarm: TestCluster; worker: ClusterNode }> {
  const swarm = await start({ workers: 2, spec });
  await swarm.createService('web', 6);
  await swarm.untilRunning('web', 6);
  const [worker] = swarm.workers;
  if (worker === undefined) throw new Error('no worker');
  return { swarm, worker };
}

/** Whether all six replicas run on other machines than `lost`. */
const runsWithout = (swarm: TestCluster, lost: ClusterNode): boolean =>
  swarm.running('web').filter(({ NodeID }) => NodeID !== lost.id).length === 6;

const statusOf = (swarm: TestCluster, node: ClusterNode): string => {
  const { State, Message = '' } = swarm.node(node.id).Status;
  return `${State}: ${Message}`;
};

/**
 * The silence after which a node was taken for lost, s, by the manager's own count. Unlike a clock on the
 * wall, that stands still while the process that all machines share here is held up.
 */
const silenceOf = (swarm: TestCluster, node: ClusterNode): number =>
  Number(/^down: heartbeat lost (\d+\.\d) s ago$/.exec(statusOf(swarm, node))?.[1]);

describe('a machine that is cut off', () => {
  it('has its replicas running elsewhere after 2.25 s of silence, and stops its own when it is back', async () => {
    const { swarm, worker } = await startLoaded();
    const stale = worker.runningTasks;
    worker.cut();
    await swarm.until('all replicas to run elsewhere', () => runsWithout(swarm, worker));
    // How soon they run on a machine that does nothing else is what bench/ measures.
    expect(silenceOf(swarm, worker)).toBeGreaterThanOrEqual(2.2);
    expect(silenceOf(swarm, worker)).toBeLessThan(5);
    expect(worker.runningTasks).toEqual(stale);

    worker.heal();
    await swarm.untilNode(worker.id, 'ready');
    await swarm.until('the stale tasks to end', (api) =>
      stale.every((id) => ['shutdown', 'failed', 'complete'].includes(api.task(id).Status.State)),
    );
    expect(worker.runningTasks).toEqual([]);
    expect(swarm.running('web')).toHaveLength(6);
    await swarm.scale('web', 9);
    await swarm.untilRunning('web', 9);
    expect(worker.runningTasks).toHaveLength(3);
  });
});

describe('a machine whose daemon, mesh and containers are gone', () => {
  it('has its replicas running elsewhere before its silence tells', async () => {
    // Silence would tell after three minutes.
    const { swarm, worker } = await startLoaded({ Dispatcher: { HeartbeatPeriod: 60e9 } });
    await worker.crash();
    await swarm.until('all replicas to run elsewhere', () => runsWithout(swarm, worker));
    expect(statusOf(swarm, worker)).toBe('down: its daemon and mesh are gone (connection refused)');
  });
});

describe('a daemon that is killed', () => {
  it('costs no task while its mesh vouches, and is adopted when it is back', async () => {
    const { swarm, worker } = await startLoaded();
    const before = swarm.running('web').map(({ ID }) => ID);
    const { create, start: started, stop } = worker.engine.calls;
    worker.kill();
    await swarm.until('the mesh to vouch', () =>
      statusOf(swarm, worker).startsWith('ready: its daemon does not answer'),
    );
    // Longer than the grace of a silent node: three commits of another service stand for the time.
    await swarm.createService('other', 3);
    await swarm.untilRunning('other', 3);
    expect(swarm.running('other').map(({ NodeID }) => NodeID)).not.toContain(worker.id);

    await worker.startAgent();
    await swarm.until('the node to be well', () => statusOf(swarm, worker) === 'ready: ');
    expect(swarm.running('web').map(({ ID }) => ID)).toEqual(before);
    await swarm.scale('other', 6);
    await swarm.untilRunning('other', 6);
    expect(swarm.tasks('web')).toHaveLength(6);
    expect(worker.engine.calls).toMatchObject({ stop });
    expect(worker.engine.calls.create - create).toBe(worker.engine.calls.start - started);
  });

  it('has a container that dies meanwhile replaced elsewhere', async () => {
    const { swarm, worker } = await startLoaded();
    const [victim = ''] = worker.runningTasks;
    worker.kill();
    worker.engine.end(victim, 137);
    await swarm.until('the end to be known', (api) => api.task(victim).Status.State === 'failed');
    expect(swarm.api.task(victim).Status.Err).toBe('its container ended while the daemon of its node was away');
    await swarm.untilRunning('web', 6);
    expect(swarm.running('web').filter(({ NodeID }) => NodeID === worker.id)).toHaveLength(1);
    await worker.startAgent();
    await swarm.until('the node to be well', () => statusOf(swarm, worker) === 'ready: ');
    expect(swarm.api.task(victim).Status.State).toBe('failed');
    expect(swarm.running('web')).toHaveLength(6);
  });

  it('is lost with its containers when its mesh dies too', async () => {
    const { swarm, worker } = await startLoaded();
    worker.kill();
    await swarm.until('the mesh to vouch', () =>
      statusOf(swarm, worker).startsWith('ready: its daemon does not answer'),
    );
    await worker.mesh.close();
    await swarm.untilNode(worker.id, 'down');
    await swarm.until('all replicas to run elsewhere', () => runsWithout(swarm, worker));
  });
});

describe('a daemon that is stopped', () => {
  it('leaves its node disconnected with all its tasks, and takes them up again', async () => {
    const { swarm, worker } = await startLoaded();
    const before = swarm.running('web').map(({ ID }) => ID);
    await worker.stop();
    await swarm.untilNode(worker.id, 'disconnected');
    await swarm.createService('other', 2);
    await swarm.untilRunning('other', 2);
    expect(swarm.running('other').map(({ NodeID }) => NodeID)).not.toContain(worker.id);
    expect(swarm.running('web').map(({ ID }) => ID)).toEqual(before);
    await worker.startAgent();
    await swarm.untilNode(worker.id, 'ready');
    expect(swarm.running('web').map(({ ID }) => ID)).toEqual(before);
    expect(worker.engine.calls.stop).toBe(0);
  });
});

describe('an Engine that dies', () => {
  it('makes its node say so, its tasks move, and all heals when it returns', async () => {
    const { swarm, worker } = await startLoaded();
    worker.engine.unreachable('dial unix /var/run/docker.sock: connect: connection refused');
    await swarm.until('all replicas to run elsewhere', () => runsWithout(swarm, worker));
    expect(statusOf(swarm, worker)).toBe(
      'down: Docker Engine: dial unix /var/run/docker.sock: connect: connection refused',
    );
    worker.engine.reachable();
    await swarm.untilNode(worker.id, 'ready');
    await swarm.scale('web', 9);
    await swarm.untilRunning('web', 9);
    await swarm.until('the stale tasks to end', (api) =>
      api
        .tasks({ node: [worker.id] })
        .every(({ DesiredState, Status }) => DesiredState === 'running' || Status.State === 'shutdown'),
    );
    expect(worker.runningTasks).toHaveLength(3);
  });
});

describe('a node that is removed', () => {
  it('has its session ended at once, is refused from then on, and its tasks move', async () => {
    const { swarm, worker } = await startLoaded();
    await swarm.api.removeNode(worker.id, true);
    await swarm.until('all replicas to run elsewhere', () => runsWithout(swarm, worker));
    expect(swarm.api.nodes({}).map(({ ID }) => ID)).not.toContain(worker.id);
    await worker.stop();
    await worker.startAgent();
    expect(await refusalOf(worker)).toContain(`node ${worker.id} was removed from cluster`);
  });
});

describe('a node that leaves', () => {
  it('is down at once and its tasks move; its containers are gone', async () => {
    const { swarm, worker } = await startLoaded();
    await worker.agent.leave(AbortSignal.timeout(10_000));
    expect(statusOf(swarm, worker)).toBe('down: left the cluster');
    expect(worker.engine.containers).toEqual([]);
    await swarm.until('all replicas to run elsewhere', () => runsWithout(swarm, worker));
    await swarm.api.removeNode(worker.id, false);
    expect(swarm.api.nodes({})).toHaveLength(2);
  });
});

describe('a set heartbeat period', () => {
  it('is obeyed, with down after three periods', async () => {
    const { swarm, worker } = await startLoaded({ Dispatcher: { HeartbeatPeriod: 1e9 } });
    worker.cut();
    await swarm.untilNode(worker.id, 'down');
    expect(silenceOf(swarm, worker)).toBeGreaterThanOrEqual(3);
  });
});

/** The words with which an agent is refused. The agent sends no events, so it is asked again and again. */
const refusalOf = (node: ClusterNode): Promise<string> =>
  eventually(`the agent of ${node.id} to be refused`, () => {
    const { session } = node.agent;
    return Promise.resolve(session.kind === 'refused' && session.error.message);
  });
