import { afterEach, describe, expect, it } from 'vitest';
import { startCluster, type ClusterOptions, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';

let cluster: TestCluster | undefined;
const start = async (options: ClusterOptions): Promise<TestCluster> => (cluster = await startCluster(options));
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const containersOf = (swarm: TestCluster): readonly string[] =>
  swarm.nodes.flatMap((node) => node.engine.containers.map(({ containerId }) => containerId));

const stateOf = (swarm: TestCluster, id: string): string => {
  const { State, Message = '' } = swarm.node(id).Status;
  return `${State}: ${Message}`;
};

describe('a manager that starts again on its state', () => {
  it('has the same cluster and tasks, touches no container, and its agents come back', async () => {
    const swarm = await start({ workers: 2 });
    await swarm.createService('web', 6);
    await swarm.untilRunning('web', 6);
    const before = { swarm: swarm.api.swarm(), tasks: swarm.api.tasks({}), containers: containersOf(swarm) };
    const tables = swarm.nodes.map(({ mesh }) => mesh.table);

    await swarm.restartManager();
    expect(swarm.api.swarm()).toEqual(before.swarm);
    expect(swarm.api.tasks({})).toEqual(before.tasks);
    // Each new session brings a table. Until then a mesh vouches for its node, which gets no new work.
    await eventually('all agents to be back', () =>
      Promise.resolve(
        swarm.nodes.every(({ id, mesh }, at) => mesh.table !== tables[at] && stateOf(swarm, id) === 'ready: '),
      ),
    );
    const numbers = swarm.nodes.map(({ mesh }) => mesh.table?.number ?? 0);
    await swarm.createService('other', 3);
    await swarm.untilRunning('other', 3);
    expect(swarm.running('web').map(({ ID }) => ID)).toEqual(before.tasks.map(({ ID }) => ID));
    expect(containersOf(swarm)).toEqual(expect.arrayContaining([...before.containers]));
    for (const node of swarm.nodes) {
      expect(stateOf(swarm, node.id)).toBe('ready: ');
      expect(node.engine.calls).toMatchObject({ stop: 0, remove: 0 });
    }
    await swarm.createService('published', 1, {
      EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080 }] },
    });
    await swarm.untilRunning('published', 1);
    await eventually('all meshes to have newer tables', () =>
      Promise.resolve(swarm.nodes.every(({ mesh }, at) => (mesh.table?.number ?? 0) > (numbers[at] ?? 0))),
    );
  });

  it('learns what happened while it was away', async () => {
    const swarm = await start({ workers: 1 });
    await swarm.createService('web', 2);
    await swarm.untilRunning('web', 2);
    const [victim] = swarm.running('web');
    const restarted = swarm.restartManager();
    swarm.engines.kill(victim?.ID ?? '', 9);
    await restarted;
    await swarm.until('the end to be known', (api) => api.task(victim?.ID ?? '').Status.State === 'failed');
    await swarm.untilRunning('web', 2);
  });

  it('finds a machine that died while it was away, and moves its tasks', async () => {
    const swarm = await start({ workers: 2 });
    await swarm.createService('web', 6);
    await swarm.untilRunning('web', 6);
    const lost = swarm.workers[0];
    await lost?.crash();
    await swarm.restartManager();
    await swarm.until(
      'all replicas to run elsewhere',
      () => swarm.running('web').filter(({ NodeID }) => NodeID !== lost?.id).length === 6,
    );
    expect(stateOf(swarm, lost?.id ?? '')).toBe('down: its daemon and mesh are gone (connection refused)');
  });

  it('still excuses a node whose daemon was stopped before', async () => {
    const swarm = await start({ workers: 1 });
    const [worker] = swarm.workers;
    await swarm.createService('web', 2);
    await swarm.untilRunning('web', 2);
    await worker?.stop();
    await swarm.untilNode(worker?.id ?? '', 'disconnected');
    await swarm.restartManager();
    const vouches = worker?.mesh.vouches ?? 0;
    await swarm.createService('other', 1);
    await swarm.untilRunning('other', 1);
    // It may have asked, and been answered, while it was still starting.
    await eventually('its mesh to be asked', () => Promise.resolve((worker?.mesh.vouches ?? 0) > vouches));
    expect(swarm.node(worker?.id ?? '').Status.State).toBe('disconnected');
    expect(swarm.running('web')).toHaveLength(2);
  });
});
