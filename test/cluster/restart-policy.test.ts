import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../core/clock.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { startCluster, type ClusterOptions, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster | undefined;
const start = async (options: ClusterOptions): Promise<TestCluster> => (cluster = await startCluster(options));
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

const create = (swarm: TestCluster, RestartPolicy: Record<string, unknown>): Promise<string> =>
  swarm.createService('web', 1, { TaskTemplate: { RestartPolicy } });

/** Ends the task that runs; resolves with its end known and decided. */
async function fail(swarm: TestCluster, exitCode = 1): Promise<TaskDocument> {
  await swarm.untilRunning('web', 1);
  const [task] = swarm.running('web');
  if (task === undefined) throw new Error('nothing runs');
  swarm.engines.kill(task.ID, exitCode);
  await swarm.until('its end to be decided', (api) => api.task(task.ID).DesiredState === 'shutdown');
  return task;
}

/** The clock of the machine, which tests set ahead. */
class LeapingClock implements Clock {
  #ahead = 0;

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  schedule(ms: number, callback: () => void): () => void {
    return systemClock.schedule(ms, callback);
  }

  leap(ms: number): void {
    this.#ahead += ms;
  }
}

/** What new tasks said of the wait before their start, in order, ms. Of one manager: a restart ends it. */
function noteWaits(swarm: TestCluster, waits: Map<string, number>): void {
  swarm.manager.onCommit(() => {
    for (const { ID, Status } of swarm.tasks('web')) {
      const [, ms] = /; it waits (\d+) ms before it starts$/.exec(Status.Message) ?? [];
      if (ms !== undefined) waits.set(ID, Number(ms));
    }
  });
}

/** All loops of a manager that was started again have had their first look once another service runs. */
async function untilLooked(swarm: TestCluster, probe: string): Promise<void> {
  await swarm.createService(probe, 1);
  await swarm.untilRunning(probe, 1);
}

describe('the restart policy, over restarts of the manager', () => {
  it('counts all attempts, and goes on with the growing delay', async () => {
    const swarm = await start({ workers: 0 });
    const waits = new Map<string, number>();
    noteWaits(swarm, waits);
    await create(swarm, { Condition: 'any', MaxAttempts: 4 });
    await fail(swarm);
    await fail(swarm);
    await swarm.untilRunning('web', 1);
    await swarm.restartManager();
    noteWaits(swarm, waits);
    await fail(swarm);
    await fail(swarm);
    expect([...waits.values()]).toEqual([100, 200, 400, 800]);
    await swarm.untilRunning('web', 1);
    await swarm.restartManager();
    await fail(swarm);
    await swarm.restartManager();
    await untilLooked(swarm, 'probe');
    expect(swarm.tasks('web').map(({ DesiredState, Status }) => [DesiredState, Status.State])).toEqual(
      Array.from({ length: 5 }, () => ['shutdown', 'failed']),
    );
  });

  it('waits out the rest of a delay that was given, no less and not from its beginning', async () => {
    const clock = new LeapingClock();
    const swarm = await start({ workers: 0, clock });
    await create(swarm, { Delay: 3_600e9 });
    await swarm.untilRunning('web', 1);
    const begin = clock.now();
    await fail(swarm);
    await swarm.until('its replacement', () => swarm.tasks('web').some(({ DesiredState }) => DesiredState === 'ready'));
    await swarm.manager.close();
    clock.leap(3_598_000);
    await swarm.restartManager();
    await swarm.untilRunning('web', 1);
    expect(clock.now() - begin).toBeGreaterThanOrEqual(3_600_000);
  });

  it('starts nothing again that ended well, under on-failure, and nothing at all under none', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, { Condition: 'on-failure', Delay: 0 });
    await fail(swarm, 1);
    await fail(swarm, 0);
    await swarm.restartManager();
    await untilLooked(swarm, 'first');
    expect(
      swarm
        .tasks('web')
        .map(({ Status }) => Status.State)
        .sort(),
    ).toEqual(['complete', 'failed']);
    await swarm.api.removeService('web');
    await create(swarm, { Condition: 'none' });
    await fail(swarm, 1);
    await swarm.restartManager();
    await untilLooked(swarm, 'second');
    expect(swarm.tasks('web').map(({ Status }) => Status.State)).toEqual(['failed']);
  });

  it('counts anew for another spec, but not for another scale', async () => {
    const swarm = await start({ workers: 0 });
    await create(swarm, { MaxAttempts: 1, Delay: 0 });
    await fail(swarm);
    await fail(swarm);
    await swarm.restartManager();
    await swarm.scale('web', 2);
    await swarm.untilRunning('web', 1);
    expect(swarm.tasks('web').filter(({ Slot }) => Slot === 1)).toHaveLength(2);
    const { Spec, Version } = swarm.api.service('web', false);
    const body = { ...Spec, TaskTemplate: { ...Spec.TaskTemplate, ForceUpdate: 1 } };
    await swarm.api.updateService('web', String(Version.Index), body, { rollback: undefined });
    await swarm.untilRunning('web', 2);
  });
});
