import { afterEach, describe, expect, it } from 'vitest';
import { startCluster, type ClusterOptions, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster | undefined;
const start = async (options: ClusterOptions): Promise<TestCluster> => (cluster = await startCluster(options));
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const create = (
  swarm: TestCluster,
  mode: Record<string, unknown>,
  over: Record<string, unknown> = {},
): Promise<string> => swarm.createService('agent', 1, { Mode: { Replicated: null, ...mode }, ...over });
const nodesOf = (swarm: TestCluster): readonly (string | undefined)[] =>
  swarm
    .running('agent')
    .map(({ NodeID }) => NodeID)
    .sort();
const setAvailability = async (swarm: TestCluster, id: string, Availability: string): Promise<void> => {
  const { Spec, Version } = swarm.node(id);
  await swarm.api.updateNode(id, String(Version.Index), { ...Spec, Availability });
};
const statusOf = (swarm: TestCluster) => swarm.api.services({ name: ['agent'] }, true)[0]?.ServiceStatus;
const update = async (swarm: TestCluster, template: Record<string, unknown>): Promise<void> => {
  const { Spec, Version } = swarm.api.service('agent', false);
  const body = { ...Spec, TaskTemplate: { ...Spec.TaskTemplate, ...template } };
  await swarm.api.updateService('agent', String(Version.Index), body, { rollback: undefined });
};

describe('a global service', () => {
  it('runs one task on each node, also on one that joins later, and none on one that is drained', async () => {
    const swarm = await start({ workers: 1 });
    await create(swarm, { Global: {} });
    await swarm.untilRunning('agent', 2);
    expect(nodesOf(swarm)).toEqual(swarm.nodes.map(({ id }) => id).sort());
    for (const task of swarm.running('agent')) expect(task.Slot).toBeUndefined();
    const late = await swarm.join();
    await swarm.untilRunning('agent', 3);
    expect(late.runningTasks).toHaveLength(1);
    expect(statusOf(swarm)).toEqual({ RunningTasks: 3, DesiredTasks: 3, CompletedTasks: 0 });
    await setAvailability(swarm, late.id, 'drain');
    await swarm.until(
      'the drained node to be empty',
      () => late.runningTasks.length === 0 && swarm.tasks('agent').length === 2,
    );
    expect(statusOf(swarm)).toEqual({ RunningTasks: 2, DesiredTasks: 2, CompletedTasks: 0 });
    await setAvailability(swarm, late.id, 'active');
    await swarm.untilRunning('agent', 3);
  });

  it('is updated node by node, and a paused node later', async () => {
    const swarm = await start({ workers: 2 });
    await create(swarm, { Global: {} }, { UpdateConfig: { Parallelism: 1, Monitor: 1e6 } });
    await swarm.untilRunning('agent', 3);
    const [, paused] = swarm.nodes;
    await setAvailability(swarm, paused?.id ?? '', 'pause');
    await update(swarm, { ForceUpdate: 1 });
    const current = (): number => swarm.running('agent').filter(({ Spec }) => Spec.ForceUpdate === 1).length;
    await swarm.until('the update to end', (api) => api.service('agent', false).UpdateStatus?.State === 'completed');
    expect(current()).toBe(2);
    expect(nodesOf(swarm)).toContain(paused?.id);
    await setAvailability(swarm, paused?.id ?? '', 'active');
    await swarm.until('the node to follow', () => current() === 3 && swarm.running('agent').length === 3);
  });

  it('says why a node has no task yet', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, { Global: {} }, { TaskTemplate: { Resources: { Reservations: { MemoryBytes: 2 ** 50 } } } });
    await swarm.until('the reason', () => (swarm.tasks('agent')[0]?.Status.Err ?? '') !== '');
    expect(swarm.tasks('agent')).toMatchObject([
      {
        NodeID: swarm.nodes[0]?.id,
        Status: { State: 'pending', Err: expect.stringMatching(/insufficient resources/) as string },
      },
    ]);
  });
});

describe('a job', () => {
  it('runs its tasks to their end, a few at a time, and again when it is updated', async () => {
    const swarm = await start({ workers: 1 });
    await create(swarm, { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 3 } });
    const running = () => swarm.tasks('agent').filter(({ Status }) => Status.State === 'running');
    for (const left of [2, 2, 1]) {
      await swarm.until(`${left} to run`, () => running().length === left);
      const [task] = running();
      swarm.engines.kill(task?.ID ?? '', 0);
      await swarm.until('its end', (api) => api.task(task?.ID ?? '').Status.State === 'complete');
    }
    expect(statusOf(swarm)).toEqual({ RunningTasks: 0, DesiredTasks: 2, CompletedTasks: 3 });
    expect(
      swarm
        .tasks('agent')
        .map(({ Slot }) => Slot)
        .sort(),
    ).toEqual([0, 1, 2]);
    await update(swarm, { ForceUpdate: 1 });
    await swarm.until('the next run', () => running().length === 2);
    expect(swarm.api.service('agent', false).JobStatus?.JobIteration).toEqual({ Index: 1 });
    expect(running().map(({ JobIteration }) => JobIteration)).toEqual([{ Index: 1 }, { Index: 1 }]);
  });

  it('runs once on each node', async () => {
    const swarm = await start({ workers: 1 });
    await create(swarm, { GlobalJob: {} });
    const running = () => swarm.tasks('agent').filter(({ Status }) => Status.State === 'running');
    await swarm.until('both to run', () => running().length === 2);
    for (const { ID } of running()) swarm.engines.kill(ID, 0);
    await swarm.until('both to be done', () => statusOf(swarm)?.CompletedTasks === 2);
    expect(statusOf(swarm)).toEqual({ RunningTasks: 0, DesiredTasks: 0, CompletedTasks: 2 });
  });
});
