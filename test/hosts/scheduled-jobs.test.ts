import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScheduleDocument } from '../../proto/engine/service-document.js';
import { eventually } from '../support/eventually.js';
import { startHosts, type Hosts } from '../support/hosts.js';
import { socketDocument } from '../support/socket-request.js';
import { isRunning, makeSwarm, runningTasks, serviceOf, tasksOf } from '../support/swarm-session.js';
import { TEST_IMAGE } from '../support/test-image.js';
import type { TestHost } from '../support/test-host.js';

const NEVER = 'bale.schedule=0 0 1 1 *';

const job = (name: string, ...flags: string[]): readonly string[] => [
  'service',
  'create',
  '--name',
  name,
  '--mode',
  'replicated-job',
  ...flags,
];
const scheduleOf = (host: TestHost, name: string): Promise<ScheduleDocument> =>
  socketDocument<ScheduleDocument>(host.baleSocket, `/bale/services/${name}/schedule`);

describe('jobs at their times, and services that wait for others', () => {
  let hosts: Hosts;
  let manager: TestHost;

  beforeAll(async () => {
    hosts = await startHosts(2);
    manager = hosts.host(1);
    await makeSwarm(hosts);
  });

  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  test('a scheduled job runs when it is due, once for each due time, also when the manager was killed', async () => {
    const create = job('tick', '--label', 'bale.schedule=*/2 * * * * *', '--label', 'bale.schedule.history=50');
    const output = await manager.bale(...create, TEST_IMAGE, 'sh', '-c', 'sleep 0.2');
    expect(output).toMatch(/job is scheduled: next run in /);
    const succeeded = async (count: number) => {
      const { runs } = await scheduleOf(manager, 'tick');
      return runs.filter(({ result }) => result === 'succeeded').length >= count ? runs : undefined;
    };
    await eventually('two runs', () => succeeded(2));
    await manager.stopDaemon('SIGKILL');
    await manager.startDaemon();
    const runs = await eventually('two more', () => succeeded(4), { seconds: 40 });
    const dues = runs.map(({ due }) => due);
    expect(new Set(dues).size).toBe(dues.length);
    expect(dues.every((due) => Date.parse(due) % 2_000 === 0)).toBe(true);
    const iterations = runs.flatMap(({ iteration }) => iteration ?? []);
    expect(iterations).toEqual(Array.from(iterations, (_, place) => (iterations[0] ?? 0) - place));
    const shown = await manager.bale('service', 'schedule', 'tick');
    expect(shown).toMatch(/^\*\/2 \* \* \* \* \* UTC, concurrency forbid: next run /);
    expect(shown).toMatch(/DUE +RUN +STARTED +TOOK +RESULT/);
    expect(shown).toContain('succeeded: 1 of 1 tasks completed');
    expect(await manager.bale('service', 'ls')).toMatch(/\d completed, \*\/2 \* \* \* \* \*, next run in /);
    expect(await manager.bale('service', 'inspect', '--pretty', 'tick')).toMatch(/Schedule:\n Pattern:\t\*\/2/);
    await manager.bale('service', 'rm', 'tick');
  });

  test('a run begins when it is asked for, and says how it ended', async () => {
    await manager.bale(...job('backup', '--label', NEVER, '--replicas', '3'), TEST_IMAGE, 'sh', '-c', 'sleep 0.2');
    expect(await tasksOf(manager, 'backup')).toEqual([]);
    const output = await manager.bale('service', 'run', 'backup');
    expect(output).toContain('backup: run 0');
    expect(output).toContain('job complete: 3 of 3 tasks completed');
    expect((await tasksOf(manager, 'backup')).map(({ Status }) => Status.State)).toEqual(Array(3).fill('complete'));
    const create = job('broken', '--label', NEVER, '--restart-condition', 'none');
    await manager.bale(...create, TEST_IMAGE, 'sh', '-c', 'exit 3');
    await expect(manager.bale('service', 'run', 'broken')).rejects.toThrow(
      /run 0 failed: 1 of 1 tasks did not complete: task: non-zero exit \(3\)/,
    );
    expect(await manager.bale('service', 'schedule', 'broken')).toContain('failed (asked for): 1 of 1 tasks');
  });

  test('runs overlap, replace or forbid each other as the label says', async () => {
    const long = [TEST_IMAGE, 'sh', '-c', 'trap "exit 1" TERM; sleep 600 & wait'];
    const running = async (name: string) =>
      (await tasksOf(manager, name)).filter(({ Status }) => Status.State === 'running');
    for (const concurrency of ['allow', 'replace', 'forbid']) {
      await manager.bale(
        ...job(concurrency, '--label', NEVER, '--label', `bale.schedule.concurrency=${concurrency}`),
        ...long,
      );
      await manager.bale('service', 'run', '--detach', concurrency);
      await eventually(`a run under ${concurrency}`, async () => (await running(concurrency)).length === 1);
    }
    await manager.bale('service', 'run', '--detach', 'allow');
    await eventually('two runs at once', async () => (await running('allow')).length === 2);
    const containers = await Promise.all(hosts.all.map((host) => host.docker('ps', '-q', '--filter', 'name=allow\\.')));
    expect(containers.join('').trim().split('\n')).toHaveLength(2);
    await manager.bale('service', 'run', '--detach', 'replace');
    await eventually('the next run alone', async () => {
      const [task, ...others] = await running('replace');
      return others.length === 0 && task?.JobIteration?.Index === 1;
    });
    expect((await scheduleOf(manager, 'replace')).runs).toMatchObject([
      { iteration: 1, result: 'running' },
      { iteration: 0, result: 'replaced' },
    ]);
    await expect(manager.bale('service', 'run', 'forbid')).rejects.toThrow(
      /job forbid: run 0, begun at .*, still goes on; wait for its end/,
    );
    await manager.bale('service', 'rm', 'allow', 'replace', 'forbid');
  });

  test('a schedule that cannot be read, or is not of a job, is refused with an example', async () => {
    await expect(manager.bale(...job('bad', '--label', 'bale.schedule=daily'), TEST_IMAGE)).rejects.toThrow(
      /label "bale\.schedule" must be a cron pattern .*for example "\*\/5 \* \* \* \*" or "@daily", got "daily"/,
    );
    await expect(manager.bale('service', 'create', '--label', 'bale.schedule=@daily', TEST_IMAGE)).rejects.toThrow(
      /label "bale\.schedule" is for jobs/,
    );
  });

  test('a service waits until what it depends on is healthy, and not again later', async () => {
    const create = ['service', 'create', '--detach', '--label', 'bale.depends=db', '--replicas', '2', '--name', 'web'];
    await manager.bale(...create, TEST_IMAGE);
    const waits = (reason: string) => async () => {
      const tasks = await tasksOf(manager, 'web');
      return tasks.length === 2 && tasks.every(({ Status }) => Status.State === 'pending' && Status.Err === reason);
    };
    await eventually('the wait', waits('waits for db: there is no such service'));
    const health = ['--health-cmd', 'test -e /tmp/ready', '--health-interval', '500ms'];
    await manager.bale('service', 'create', '--detach', '--name', 'db', ...health, TEST_IMAGE);
    await eventually('the wait for its health', waits('waits for db: 0 of 1 healthy'));
    expect((await tasksOf(manager, 'web')).some(isRunning)).toBe(false);
    await eventually('the container to say that it is ready', async () => {
      for (const host of hosts.all) {
        const id = (await host.docker('ps', '-q', '--filter', 'name=db\\.')).trim();
        if (id !== '') return host.docker('exec', id, 'sh', '-c', 'touch /tmp/ready').then(() => true);
      }
      return false;
    });
    await runningTasks(manager, 'web', 2);
    await manager.bale('service', 'rm', 'db');
    await manager.bale('service', 'scale', '--detach', 'web=3');
    await runningTasks(manager, 'web', 3);
    expect((await serviceOf(manager, 'web')).waiting).toBeUndefined();
    await expect(
      manager.bale('service', 'create', '--name', 'db', '--label', 'bale.depends=web', TEST_IMAGE),
    ).rejects.toThrow(/services would wait for each other: db -> web -> db/);
  });
});
