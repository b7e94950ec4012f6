import { afterEach, describe, expect, it } from 'vitest';
import type { ScheduledRunDocument } from '../../proto/engine/service-document.js';
import { startCluster, type ClusterOptions, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster | undefined;
const start = async (options: ClusterOptions): Promise<TestCluster> => (cluster = await startCluster(options));
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** Due in a time that no test lives to see. */
const NEVER = { 'bale.schedule': '0 0 1 1 *' };
const EACH_SECOND = { 'bale.schedule': '* * * * * *' };

const create = (swarm: TestCluster, labels: Record<string, string>, mode: Record<string, unknown> = {}) =>
  swarm.createService('job', 1, {
    Labels: labels,
    Mode: { Replicated: null, ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 }, ...mode },
  });
const runs = (swarm: TestCluster): readonly ScheduledRunDocument[] => swarm.api.schedule('job').runs;
const running = (swarm: TestCluster) => swarm.tasks('job').filter(({ Status }) => Status.State === 'running');
const untilRun = (swarm: TestCluster, iteration: number): Promise<void> =>
  swarm.until(`a task of run ${iteration}`, () =>
    running(swarm).some((task) => task.JobIteration?.Index === iteration),
  );
const complete = (swarm: TestCluster): void => {
  for (const { ID } of running(swarm)) swarm.engines.kill(ID, 0);
};

describe('a scheduled job', () => {
  it('runs when it is due, each due time once, and remembers how it went', async () => {
    const swarm = await start({ workers: 1 });
    await create(swarm, EACH_SECOND);
    expect(swarm.tasks('job')).toEqual([]);
    expect(swarm.api.service('job', false)).toMatchObject({
      JobStatus: { JobIteration: { Index: 0 }, LastExecution: '0001-01-01T00:00:00Z' },
      nextRun: expect.stringMatching(/\.000Z$/) as string,
    });
    for (const iteration of [0, 1]) {
      await untilRun(swarm, iteration);
      expect(running(swarm)).toHaveLength(1);
      complete(swarm);
      await swarm.until('its end', () =>
        runs(swarm).some((run) => run.iteration === iteration && run.result === 'succeeded'),
      );
    }
    const started = runs(swarm).filter(({ result }) => result !== 'skipped');
    expect(new Set(started.map(({ due }) => due)).size).toBe(started.length);
    const { JobStatus } = swarm.api.service('job', false);
    expect(JobStatus?.JobIteration.Index).toBeGreaterThanOrEqual(1);
    expect(Date.parse(JobStatus?.LastExecution ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });

  it('skips what is due while a run goes on, and says so', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, EACH_SECOND);
    await untilRun(swarm, 0);
    await swarm.until('two skips', () => (runs(swarm)[0]?.skipped?.times ?? 0) >= 2);
    // Before it there may be due times that a busy machine missed.
    const last = runs(swarm);
    expect(last.slice(0, 1 + last.findIndex(({ iteration }) => iteration === 0))).toMatchObject([
      { result: 'skipped', reason: expect.stringMatching(/^run 0, begun at .*, still goes on$/) as string },
      { result: 'running', iteration: 0 },
    ]);
    expect(swarm.tasks('job')).toHaveLength(1);
  });

  it('stops a run for the next one under replace', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, { ...EACH_SECOND, 'bale.schedule.concurrency': 'replace' });
    await swarm.until('a task to run', () => running(swarm).length === 1);
    const first = running(swarm)[0]?.JobIteration?.Index ?? 0;
    // Each goes on for a second only: on a busy machine a later one may be the first that is seen.
    await swarm.until('one task of a later run alone', () => {
      const left = running(swarm).map(({ JobIteration }) => JobIteration?.Index ?? 0);
      return left.length === 1 && left.every((iteration) => iteration > first);
    });
    expect(runs(swarm).find(({ iteration }) => iteration === first)).toMatchObject({ result: 'replaced' });
  });

  it('lets runs overlap under allow, each with tasks of its own', async () => {
    const swarm = await start({ workers: 1 });
    await create(
      swarm,
      { ...NEVER, 'bale.schedule.concurrency': 'allow' },
      { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 2 } },
    );
    for (const iteration of [0, 1]) {
      expect(await swarm.api.runJob('job')).toEqual({ JobIteration: { Index: iteration } });
    }
    await swarm.until('four tasks', () => running(swarm).length === 4);
    const slots = running(swarm).map(({ JobIteration, Slot }) => `${JobIteration?.Index ?? ''}/${Slot ?? ''}`);
    expect(slots.sort()).toEqual(['0/0', '0/1', '1/0', '1/1']);
    const [older] = running(swarm).filter(({ JobIteration }) => JobIteration?.Index === 0);
    swarm.engines.kill(older?.ID ?? '', 1);
    await swarm.until(
      'its replacement in the same run',
      () =>
        running(swarm).filter(({ JobIteration }) => JobIteration?.Index === 0).length === 2 &&
        !running(swarm).some(({ ID }) => ID === older?.ID),
    );
    complete(swarm);
    await swarm.until('both to succeed', () => runs(swarm).every(({ result }) => result === 'succeeded'));
    expect(runs(swarm).map(({ iteration, cause }) => [iteration, cause])).toEqual([
      [1, 'request'],
      [0, 'request'],
    ]);
  });

  it('runs on each node, as a global job', async () => {
    const swarm = await start({ workers: 1 });
    await create(swarm, { ...NEVER, 'bale.schedule.concurrency': 'allow' }, { ReplicatedJob: null, GlobalJob: {} });
    await swarm.api.runJob('job');
    await swarm.api.runJob('job');
    await swarm.until('two tasks on each node', () => running(swarm).length === 4);
    complete(swarm);
    await swarm.until('both to succeed', () => runs(swarm).every(({ result }) => result === 'succeeded'));
  });

  it('goes on over a restart of the manager, and makes up for one run', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, EACH_SECOND);
    await untilRun(swarm, 0);
    const [task] = running(swarm);
    await swarm.manager.close();
    const before = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await swarm.restartManager();
    await swarm.until('the due times it missed', () => runs(swarm).some(({ result }) => result === 'skipped'));
    const missed = runs(swarm).filter(({ due }) => Date.parse(due) > before && Date.parse(due) < before + 2_500);
    expect(missed.length).toBeLessThanOrEqual(1);
    expect(running(swarm)).toMatchObject([{ ID: task?.ID }]);
    complete(swarm);
    await swarm.until('its end', () => runs(swarm).some(({ result }) => result === 'succeeded'));
    await untilRun(swarm, 1);
  });

  it('begins no run when it is changed', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, NEVER);
    const { Spec, Version } = swarm.api.service('job', false);
    const body = { ...Spec, TaskTemplate: { ...Spec.TaskTemplate, ForceUpdate: 1 } };
    await swarm.api.updateService('job', String(Version.Index), body, { rollback: undefined });
    await swarm.api.runJob('job');
    await untilRun(swarm, 0);
    expect(swarm.tasks('job')).toHaveLength(1);
    await expect(swarm.api.runJob('job')).rejects.toMatchObject({ kind: 'conflict', code: 'BALE_RUN_GOING_ON' });
  });
});

describe('a run that is asked for', () => {
  it('of a job without a schedule is another run of it, one at a time', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, {});
    await untilRun(swarm, 0);
    await expect(swarm.api.runJob('job')).rejects.toMatchObject({
      code: 'BALE_RUN_GOING_ON',
      message: expect.stringMatching(/^job job: run 0, begun at .*, still goes on; `service update --force`/) as string,
    });
    complete(swarm);
    await swarm.until('its end', () => swarm.tasks('job')[0]?.Status.State === 'complete');
    expect(await swarm.api.runJob('job')).toEqual({ JobIteration: { Index: 1 } });
    await untilRun(swarm, 1);
    expect(() => swarm.api.schedule('job')).toThrow('has no schedule');
  });

  it('of a service that is no job is refused', async () => {
    const swarm = await start({ workers: 0 });
    await swarm.createService('web', 1);
    await expect(swarm.api.runJob('web')).rejects.toMatchObject({ code: 'BALE_RUN_MODE' });
    await expect(swarm.api.runJob('nowhere')).rejects.toMatchObject({ code: 'BALE_NOT_FOUND' });
  });
});
