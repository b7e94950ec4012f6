import { afterEach, describe, expect, it } from 'vitest';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const ERR = 'task: container unhealthy';
const published = { EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080 }] } };
const TaskTemplate = { ContainerSpec: { Image: 'image', Healthcheck: { Test: ['CMD', 'ok'] } } };

/** A service whose replicas are found healthy by their first early probe. */
async function healthy(replicas: number, over: Readonly<Record<string, unknown>> = {}): Promise<TestCluster> {
  const swarm = (cluster = await startCluster({ workers: 2 }));
  await swarm.createService('web', replicas, { TaskTemplate, ...published, ...over });
  await becomeHealthy(swarm, replicas);
  return swarm;
}

async function becomeHealthy(swarm: TestCluster, replicas: number): Promise<void> {
  await swarm.until(`${replicas} tasks to start or run`, () => {
    const up = swarm
      .tasks('web')
      .filter(
        ({ Status, DesiredState }) => ['starting', 'running'].includes(Status.State) && DesiredState === 'running',
      );
    return up.length === replicas;
  });
  await eventually('their containers to run', () => {
    const starting = swarm.tasks('web').filter(({ Status }) => Status.State === 'starting');
    return Promise.resolve(starting.every((task) => containerOf(swarm, task)?.phase === 'running'));
  });
  for (const { ID, Status } of swarm.tasks('web')) {
    if (Status.State === 'starting') swarm.engines.setProbe(ID, { kind: 'ended', exitCode: 0, output: '' });
  }
  await swarm.untilRunning('web', replicas);
}

const containerOf = (swarm: TestCluster, { ID, NodeID }: TaskDocument) => swarm.machine(NodeID).engine.container(ID);

const withId = (swarm: TestCluster, id: string) => swarm.tasks('web').find(({ ID }) => ID === id);

function first(swarm: TestCluster): TaskDocument {
  const [task] = swarm.running('web');
  if (task === undefined) throw new Error('no task runs');
  return task;
}

describe('a replica that fails its health check', () => {
  it('is routed to no more at once, replaced by its policy, and stopped when nothing is under way on it', async () => {
    const swarm = await healthy(3);
    const sick = first(swarm);
    const [entry] = swarm.nodes;
    entry?.mesh.setInFlight(sick.ID, 1);
    swarm.engines.setHealth(sick.ID, 'unhealthy');
    await swarm.until('it to drain', () => withId(swarm, sick.ID)?.drain !== undefined);
    expect(withId(swarm, sick.ID)).toMatchObject({
      DesiredState: 'shutdown',
      Status: { State: 'running', Err: ERR, health: 'unhealthy', Message: 'unhealthy, last probe exit 1: sick' },
    });
    await eventually('no mesh to route to it', () =>
      Promise.resolve(swarm.nodes.every(({ mesh }) => !mesh.routesTo(sick.ID))),
    );
    await becomeHealthy(swarm, 3);
    expect(containerOf(swarm, sick)?.phase).toBe('running');
    entry?.mesh.setInFlight(sick.ID, 0);
    await swarm.until('it to have failed', () => withId(swarm, sick.ID)?.Status.State === 'failed');
    expect(withId(swarm, sick.ID)?.Status.Err).toBe(ERR);
    expect(swarm.running('web')).toHaveLength(3);
    // One slot, two tasks: it was replaced once.
    expect(swarm.tasks('web').filter(({ Slot }) => Slot === sick.Slot)).toHaveLength(2);
  });

  it('is replaced although it recovers meanwhile', async () => {
    const swarm = await healthy(2);
    const sick = first(swarm);
    swarm.nodes[0]?.mesh.setInFlight(sick.ID, 1);
    swarm.engines.setHealth(sick.ID, 'unhealthy');
    await swarm.until('it to drain', () => withId(swarm, sick.ID)?.drain !== undefined);
    swarm.engines.setHealth(sick.ID, 'healthy');
    await swarm.until('it to be well', () => withId(swarm, sick.ID)?.Status.Err === undefined);
    swarm.nodes[0]?.mesh.setInFlight(sick.ID, 0);
    await swarm.until('it to have failed', () => withId(swarm, sick.ID)?.Status.State === 'failed');
    expect(withId(swarm, sick.ID)?.Status.Err).toBe(ERR);
  });

  it('is stopped at once when no port leads to it', async () => {
    const swarm = await healthy(2, { EndpointSpec: {} });
    const sick = first(swarm);
    swarm.engines.setHealth(sick.ID, 'unhealthy');
    await swarm.until('it to have failed', () => withId(swarm, sick.ID)?.Status.Err === ERR);
    await swarm.until('it to have ended', () => withId(swarm, sick.ID)?.Status.State === 'failed');
  });

  it('while the manager is away is dealt with when it is back', async () => {
    const swarm = await healthy(2);
    const sick = first(swarm);
    const restarted = swarm.restartManager();
    swarm.engines.setHealth(sick.ID, 'unhealthy');
    await restarted;
    await swarm.until('it to have failed', () => withId(swarm, sick.ID)?.Status.State === 'failed');
    await becomeHealthy(swarm, 2);
  });

  it('is replaced together with all others when all fail at once, as in Swarm', async () => {
    const swarm = await healthy(3);
    const sick = swarm.running('web');
    for (const { ID } of sick) swarm.engines.setHealth(ID, 'unhealthy');
    await swarm.until('all to have failed', () => sick.every(({ ID }) => withId(swarm, ID)?.Status.State === 'failed'));
    await becomeHealthy(swarm, 3);
  });
});

describe('a service whose health check does not pass', () => {
  it('says what its tasks wait for', async () => {
    const swarm = (cluster = await startCluster({ workers: 0 }));
    await swarm.createService('web', 1, { TaskTemplate, ...published });
    await swarm.until('a task to start', () => swarm.tasks('web').some(({ Status }) => Status.State === 'starting'));
    const [task] = swarm.tasks('web');
    if (task === undefined) throw new Error('no task');
    await eventually('its container to run', () => Promise.resolve(containerOf(swarm, task)?.phase === 'running'));
    swarm.engines.setProbe(task.ID, { kind: 'ended', exitCode: 7, output: 'no database\n' });
    const err = 'waiting for the health check, last probe exit 7: no database';
    await swarm.until('the reason', () => withId(swarm, task.ID)?.Status.Err === err);
    expect(swarm.api.service('web', false).waiting).toEqual([`web.1: starting: ${err}`]);
    swarm.engines.setProbe(task.ID, { kind: 'ended', exitCode: 0, output: '' });
    await swarm.untilRunning('web', 1);
    await eventually('nothing to be waited for', () =>
      Promise.resolve(swarm.api.service('web', false).waiting === undefined),
    );
  });
});
