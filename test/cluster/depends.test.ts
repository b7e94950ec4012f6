import { afterEach, describe, expect, it } from 'vitest';
import { serviceBody } from '../support/service-body.js';
import { startCluster, type ClusterOptions, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster | undefined;
const start = async (options: ClusterOptions): Promise<TestCluster> => (cluster = await startCluster(options));
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const dependent = (swarm: TestCluster, name: string, depends: string, over: Record<string, unknown> = {}) =>
  swarm.createService(name, 2, { Labels: { 'bale.depends': depends }, ...over });
const untilWaiting = (swarm: TestCluster, name: string, reason: string): Promise<void> =>
  swarm.until(
    `${name} to wait: ${reason}`,
    () =>
      swarm.tasks(name).length === 2 &&
      swarm.tasks(name).every(({ Status }) => Status.State === 'pending' && Status.Err === reason),
  );
const relabel = async (swarm: TestCluster, name: string, labels: Record<string, string>) => {
  const { Spec, Version } = swarm.api.service(name, false);
  return swarm.api.updateService(name, String(Version.Index), { ...Spec, Labels: labels }, { rollback: undefined });
};
const HEALTH = { TaskTemplate: { ContainerSpec: { Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 } } } };

describe('a service that depends on others', () => {
  it('waits until each of them has a healthy replica, and says what for', async () => {
    const swarm = await start({ workers: 1 });
    const answer = await swarm.api.createService(serviceBody({ Name: 'web', Labels: { 'bale.depends': 'db,cache' } }));
    expect(answer.Warnings).toEqual([
      'label "bale.depends": there is no service db yet; tasks wait until there is one',
      'label "bale.depends": there is no service cache yet; tasks wait until there is one',
    ]);
    await untilWaiting(swarm, 'web', 'waits for db: there is no such service; cache: there is no such service');
    await swarm.createService('db', 1);
    await untilWaiting(swarm, 'web', 'waits for cache: there is no such service');
    expect(swarm.api.service('web', false).waiting).toEqual(['web: waits for cache: there is no such service']);
    await swarm.createService('cache', 1, HEALTH);
    await untilWaiting(swarm, 'web', 'waits for cache: 0 of 1 healthy');
    await swarm.until('its check', () => swarm.tasks('cache')[0]?.Status.State === 'starting');
    swarm.engines.setProbe(swarm.tasks('cache')[0]?.ID ?? '', { kind: 'ended', exitCode: 0, output: '' });
    await swarm.untilRunning('web', 2);
    expect(swarm.api.service('web', false).waiting).toBeUndefined();
  });

  it('waits for a replica that has no node yet', async () => {
    const swarm = await start({ workers: 0 });
    await swarm.createService('db', 1, { TaskTemplate: { Placement: { Constraints: ['node.labels.disk==ssd'] } } });
    await dependent(swarm, 'web', 'db');
    await untilWaiting(swarm, 'web', 'waits for db: 0 of 1 healthy');
    const { id } = swarm.nodes[0] ?? { id: '' };
    const { Spec, Version } = swarm.node(id);
    await swarm.api.updateNode(id, String(Version.Index), { ...Spec, Labels: { disk: 'ssd' } });
    await swarm.untilRunning('web', 2);
  });

  it('waits only at its start: a loss, a restart of a task, a scale up and a restart of the manager stop nothing', async () => {
    const swarm = await start({ workers: 1 });
    const db = await swarm.createService('db', 1);
    await dependent(swarm, 'web', 'db');
    await swarm.untilRunning('web', 2);
    await swarm.api.removeService('db');
    await swarm.until('db to be gone', (api) => !api.tasks({}).some(({ ServiceID }) => ServiceID === db));
    const [task] = swarm.running('web');
    swarm.engines.kill(task?.ID ?? '', 1);
    await swarm.until('its replacement', () => swarm.running('web').every(({ ID }) => ID !== task?.ID));
    await swarm.untilRunning('web', 2);
    await swarm.restartManager();
    await swarm.scale('web', 3);
    await swarm.untilRunning('web', 3);
  });

  it('still waits after a restart of the manager', async () => {
    const swarm = await start({ workers: 0 });
    await dependent(swarm, 'web', 'db');
    await untilWaiting(swarm, 'web', 'waits for db: there is no such service');
    await swarm.restartManager();
    expect(swarm.running('web')).toEqual([]);
    await swarm.createService('db', 1);
    await swarm.untilRunning('web', 2);
  });

  it('waits for a job until it completed', async () => {
    const swarm = await start({ workers: 0 });
    await swarm.createService('migrate', 1, { Mode: { Replicated: null, ReplicatedJob: { TotalCompletions: 1 } } });
    await dependent(swarm, 'web', 'migrate');
    await untilWaiting(swarm, 'web', 'waits for migrate: 0 of 1 completed');
    await swarm.until('the job to run', () => swarm.tasks('migrate')[0]?.Status.State === 'running');
    swarm.engines.kill(swarm.tasks('migrate')[0]?.ID ?? '', 0);
    await swarm.untilRunning('web', 2);
  });

  it('as a job waits with each of its runs', async () => {
    const swarm = await start({ workers: 0 });
    await swarm.createService('db', 1);
    await swarm.untilRunning('db', 1);
    await dependent(swarm, 'report', 'db', { Mode: { Replicated: null, ReplicatedJob: { TotalCompletions: 1 } } });
    const task = () => swarm.tasks('report').find(({ Status }) => Status.State === 'running');
    await swarm.until('the first run', () => task() !== undefined);
    swarm.engines.kill(task()?.ID ?? '', 0);
    await swarm.until('its end', () => swarm.tasks('report')[0]?.Status.State === 'complete');
    await swarm.api.removeService('db');
    await swarm.api.runJob('report');
    await swarm.until('the second to wait', () =>
      swarm.tasks('report').some(({ Status }) => Status.Err === 'waits for db: there is no such service'),
    );
    await swarm.createService('db', 1);
    await swarm.until('the second run', () => task()?.JobIteration?.Index === 1);
  });

  it('is not restarted when only the label changes, and waits for what it names from then on', async () => {
    const swarm = await start({ workers: 0 });
    await swarm.createService('web', 2);
    await swarm.untilRunning('web', 2);
    const before = swarm.tasks('web').map(({ ID }) => ID);
    expect(await relabel(swarm, 'web', { 'bale.depends': 'db' })).toEqual({
      Warnings: ['label "bale.depends": there is no service db yet; tasks wait until there is one'],
    });
    expect(swarm.tasks('web').map(({ ID }) => ID)).toEqual(before);
    expect(swarm.running('web')).toHaveLength(2);
    await dependent(swarm, 'other', 'nobody');
    await untilWaiting(swarm, 'other', 'waits for nobody: there is no such service');
    await relabel(swarm, 'other', {});
    await swarm.untilRunning('other', 2);
  });

  it('never waits in a circle', async () => {
    const swarm = await start({ workers: 0 });
    await dependent(swarm, 'web', 'api');
    await dependent(swarm, 'api', 'db');
    await expect(dependent(swarm, 'db', 'cache,web')).rejects.toMatchObject({
      code: 'BALE_SPEC_INVALID',
      message: expect.stringContaining('wait for each other: db -> web -> api -> db') as string,
    });
    await expect(dependent(swarm, 'self', 'self')).rejects.toThrow('self -> self');
    await swarm.createService('db', 1);
    await expect(relabel(swarm, 'db', { 'bale.depends': 'web' })).rejects.toThrow('db -> web -> api -> db');
    await swarm.untilRunning('web', 2);
  });
});
