import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startCluster, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const published = { EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080 }] } };
const CONFIG = { Parallelism: 1, Monitor: 100e6 };

async function running(replicas: number, over: Readonly<Record<string, unknown>> = {}): Promise<TestCluster> {
  const swarm = (cluster = await startCluster({ workers: 2 }));
  await swarm.createService('web', replicas, { ...published, UpdateConfig: CONFIG, ...over });
  await swarm.untilRunning('web', replicas);
  return swarm;
}

async function setImage(swarm: TestCluster, image: string): Promise<void> {
  const { Spec, Version } = swarm.api.service('web', false);
  const { ContainerSpec } = Spec.TaskTemplate;
  const TaskTemplate = { ...Spec.TaskTemplate, ContainerSpec: { ...ContainerSpec, Image: image } };
  await swarm.api.updateService('web', String(Version.Index), { ...Spec, TaskTemplate }, { rollback: undefined });
}

const state = (swarm: TestCluster) => swarm.api.service('web', false).UpdateStatus?.State;
const draining = (swarm: TestCluster) => swarm.tasks('web').find(({ drain }) => drain !== undefined);

describe('a rolling update', () => {
  it('stops no container that a mesh routes to or has work on', async () => {
    const swarm = await running(3);
    const faults: string[] = [];
    const unwatch = swarm.manager.onCommit(() => {
      for (const { ID, drain, DesiredState } of swarm.tasks('web')) {
        if (drain !== undefined || DesiredState === 'running') continue;
        for (const { mesh } of swarm.nodes) if (mesh.routesTo(ID)) faults.push(ID);
      }
    });
    await setImage(swarm, 'v2');
    await swarm.until('the update to complete', () => state(swarm) === 'completed');
    unwatch();
    expect(faults).toEqual([]);
    expect(swarm.running('web').map(({ Spec }) => Spec.ContainerSpec.Image)).toEqual(['v2', 'v2', 'v2']);
  });

  it('waits for the mesh that lags and for what is in flight, and says so', async () => {
    const swarm = await running(1);
    const [first, lagging] = swarm.nodes;
    const [old] = swarm.running('web');
    if (first === undefined || lagging === undefined || old === undefined) throw new Error('too small a cluster');
    lagging.mesh.held = true;
    await setImage(swarm, 'v2');
    await swarm.until('both tasks to run', () => swarm.running('web').length === 2);
    // The new one runs, but not every mesh knows it: the old one is not even draining.
    expect(draining(swarm)).toBeUndefined();
    expect(swarm.api.service('web', false).waiting).toEqual([
      expect.stringMatching(/^web\.1: running, waiting for the mesh of /),
    ]);
    first.mesh.setInFlight(old.ID, 2);
    lagging.mesh.held = false;
    lagging.mesh.takeTable();
    await swarm.until('the old task to drain', () => draining(swarm)?.ID === old.ID);
    // Words of meshes are no commits.
    await eventually('only the requests to be awaited', () =>
      Promise.resolve(/^draining on \w+, 2 requests in flight, \d+ s left$/.test(draining(swarm)?.drain?.reason ?? '')),
    );
    expect(swarm.machine(old.NodeID).runningTasks).toContain(old.ID);
    first.mesh.setInFlight(old.ID, 0);
    await swarm.until('the update to complete', () => state(swarm) === 'completed');
    expect(swarm.machine(old.NodeID).runningTasks).not.toContain(old.ID);
  });

  it('outlives its manager', async () => {
    const swarm = await running(3);
    await setImage(swarm, 'v2');
    await swarm.restartManager();
    await swarm.until('the update to complete', () => state(swarm) === 'completed');
    expect(swarm.running('web').map(({ Spec }) => Spec.ContainerSpec.Image)).toEqual(['v2', 'v2', 'v2']);
  });

  it('is rolled back by hand to any earlier spec', async () => {
    const swarm = await running(2);
    await setImage(swarm, 'v2');
    await swarm.until('the update to complete', () => state(swarm) === 'completed');
    const [past] = swarm.api.history('web');
    await swarm.api.rollBackTo('web', String(past?.Version.Index));
    await swarm.until('the rollback to complete', () => state(swarm) === 'rollback_completed');
    const image = past?.Spec.TaskTemplate.ContainerSpec.Image;
    expect(swarm.running('web').map(({ Spec }) => Spec.ContainerSpec.Image)).toEqual([image, image]);
  });
});

describe('a planned stop', () => {
  it('waits for what is in flight when the service is scaled down or removed, at most to its deadline', async () => {
    // Long enough that both still run when the service was removed.
    const swarm = await running(2, { Labels: { 'bale.drain.deadline': '3s' } });
    const [first] = swarm.nodes;
    for (const { ID } of swarm.running('web')) first?.mesh.setInFlight(ID, 1);
    await swarm.scale('web', 1);
    await swarm.until('a task to drain', () => draining(swarm) !== undefined);
    await swarm.api.removeService('web');
    expect(swarm.nodes.flatMap((node) => node.runningTasks)).toHaveLength(2);
    await swarm.until('all tasks to go at their deadline', (api) => api.tasks({}).length === 0);
  });

  it('empties a drained node, with a replacement running first', async () => {
    const swarm = await running(3);
    const [, worker] = swarm.nodes;
    if (worker === undefined) throw new Error('no worker');
    let least = 3;
    const unwatch = swarm.manager.onCommit(() => {
      least = Math.min(least, swarm.running('web').length);
    });
    const { Spec, Version } = swarm.node(worker.id);
    await swarm.api.updateNode(worker.id, String(Version.Index), { ...Spec, Availability: 'drain' });
    await swarm.until('the node to be empty', () => worker.runningTasks.length === 0);
    unwatch();
    expect(least).toBe(3);
    expect(swarm.running('web')).toHaveLength(3);
  });
});
