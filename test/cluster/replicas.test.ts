import { afterEach, describe, expect, it } from 'vitest';
import { startCluster, type ClusterOptions, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster | undefined;
const start = async (options: ClusterOptions): Promise<TestCluster> => (cluster = await startCluster(options));
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const perNode = (tasks: readonly { readonly NodeID?: string }[]): readonly number[] => {
  const counts = new Map<string, number>();
  for (const { NodeID = '' } of tasks) counts.set(NodeID, (counts.get(NodeID) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => a - b);
};

describe('a replicated service', () => {
  it('runs its replicas, spread over the nodes', async () => {
    const swarm = await start({ workers: 2 });
    await swarm.createService('web', 6);
    await swarm.untilRunning('web', 6);
    expect(perNode(swarm.running('web'))).toEqual([2, 2, 2]);
    for (const { ID, NodeID } of swarm.running('web')) {
      expect(swarm.machine(NodeID).runningTasks).toContain(ID);
    }
  });

  it('scales up and down, and goes with all its containers', async () => {
    const swarm = await start({ workers: 2 });
    await swarm.createService('web', 2);
    await swarm.untilRunning('web', 2);
    await swarm.scale('web', 9);
    await swarm.untilRunning('web', 9);
    expect(perNode(swarm.running('web'))).toEqual([3, 3, 3]);
    await swarm.scale('web', 3);
    await swarm.until('6 tasks to go', () => swarm.tasks('web').length === 3);
    expect(perNode(swarm.running('web'))).toEqual([1, 1, 1]);
    await swarm.api.removeService('web');
    await swarm.until('no task to be left', (api) => api.tasks({}).length === 0);
    expect(swarm.nodes.flatMap((node) => node.runningTasks)).toEqual([]);
  });

  it('replaces a container that dies, in its slot', async () => {
    const swarm = await start({ workers: 1 });
    await swarm.createService('web', 2);
    await swarm.untilRunning('web', 2);
    const [victim] = swarm.running('web');
    swarm.engines.kill(victim?.ID ?? '', 3);
    await swarm.until('the end to be known', (api) => api.task(victim?.ID ?? '').Status.State === 'failed');
    await swarm.untilRunning('web', 2);
    expect(swarm.api.task(victim?.ID ?? '').Status).toMatchObject({
      State: 'failed',
      ContainerStatus: { ExitCode: 3 },
    });
    expect(
      swarm
        .running('web')
        .map(({ Slot }) => Slot)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('uses a node that joins later', async () => {
    const swarm = await start({ workers: 0 });
    await swarm.createService('web', 2);
    await swarm.untilRunning('web', 2);
    const late = await swarm.join();
    await swarm.untilNode(late.id, 'ready');
    await swarm.scale('web', 4);
    await swarm.untilRunning('web', 4);
    expect(late.runningTasks).toHaveLength(2);
  });

  it('tells every mesh where its port leads, and shows where it could not be bound', async () => {
    const swarm = await start({ workers: 1 });
    const [manager, worker] = swarm.nodes;
    worker?.mesh.takenPorts.add(8080);
    await swarm.createService('web', 2, {
      EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080 }] },
    });
    await swarm.untilRunning('web', 2);
    await swarm.until('the port error to be shown', () => (swarm.node(worker?.id ?? '').portErrors ?? []).length === 1);
    expect(swarm.node(worker?.id ?? '').portErrors).toMatchObject([
      { publishedPort: 8080, error: 'listen tcp 0.0.0.0:8080: address already in use' },
    ]);
    expect(swarm.node(manager?.id ?? '').portErrors ?? []).toEqual([]);
    await swarm.api.removeService('web');
    await swarm.until('the port error to go', () => (swarm.node(worker?.id ?? '').portErrors ?? []).length === 0);
  });
});

describe('a large cluster', () => {
  // How soon they run is what bench/ measures: here all machines share one thread.
  it('of 50 nodes runs 1000 replicas', { timeout: 240_000 }, async () => {
    const swarm = await start({ workers: 49 });
    await swarm.createService('web', 1000);
    await swarm.untilRunning('web', 1000, 200);
    expect(new Set(perNode(swarm.running('web')))).toEqual(new Set([20]));
    const running = swarm.nodes.flatMap((node) => node.runningTasks);
    expect(new Set(running).size).toBe(1000);
  });
});
