import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { ServiceSpec, UpdateConfig } from '../../../../proto/engine/service-spec.js';
import { BAD, FLAKY, RolloutBench } from '../../../support/rollout-bench.js';
import { ingressPort } from '../../../support/stored-objects.js';

let bench: RolloutBench;
beforeEach(async () => {
  bench = await RolloutBench.start(['n1', 'n2', 'n3']);
});
afterEach(async () => {
  await bench.close();
});

const spec = (replicas: number, config?: UpdateConfig, over: Partial<ServiceSpec> = {}): ServiceSpec => ({
  Name: 'web',
  Labels: {},
  TaskTemplate: { ContainerSpec: { Image: 'v1' } },
  Mode: { Replicated: { Replicas: replicas } },
  ...(config === undefined ? {} : { UpdateConfig: config }),
  ...over,
});

async function running(replicas: number, config?: UpdateConfig, over?: Partial<ServiceSpec>): Promise<void> {
  await bench.create(spec(replicas, config, over), [ingressPort(8080, 80)]);
  await until(() => bench.serving.length === replicas);
}

async function until(done: () => boolean, rounds = 300): Promise<void> {
  for (let round = 0; round < rounds && !done(); round += 1) await bench.round(500);
  expect(done(), JSON.stringify(bench.service.updateStatus)).toBe(true);
}

const state = (): string | undefined => bench.service.updateStatus?.State;
const images = (tasks: readonly TaskObject[]): readonly string[] =>
  tasks.map((task) => task.spec.ContainerSpec.Image).sort();

describe('a rolling update', () => {
  test('replaces slot by slot, start-first unless told otherwise, and completes', async () => {
    await running(3);
    await bench.setImage('v2');
    expect(state()).toBe('updating');
    let most = 0;
    let least = 3;
    await until(() => {
      most = Math.max(most, bench.containers.length);
      least = Math.min(least, bench.serving.length);
      return state() === 'completed';
    });
    expect([least, most]).toEqual([3, 4]);
    expect(images(bench.serving)).toEqual(['v2', 'v2', 'v2']);
    expect(bench.service.rollout).toBeUndefined();
    expect(bench.service.updateStatus?.Message).toBe('update completed');
    expect(bench.service.updateStatus?.CompletedAt).toMatch(/Z$/);
    expect(bench.violations).toEqual([]);
  });

  test('stops first when told to', async () => {
    await running(3, { Parallelism: 2, Order: 'stop-first' });
    await bench.setImage('v2');
    let most = 0;
    let least = 3;
    await until(() => {
      most = Math.max(most, bench.containers.length);
      least = Math.min(least, bench.serving.length);
      return state() === 'completed';
    });
    expect([least, most]).toEqual([1, 3]);
  });

  test('stops first where old and new cannot be there at once, and says why', async () => {
    const Mounts = [{ Type: 'volume' as const, Source: 'data', Target: '/data' }];
    await running(1, undefined, { TaskTemplate: { ContainerSpec: { Image: 'v1', Mounts } } });
    await bench.setImage('v2');
    await bench.round();
    expect(bench.service.updateStatus?.Message).toBe(
      'update in progress; stop-first, because volume data is mounted for writing',
    );
    await until(() => state() === 'completed');
  });

  test('that stops first does not wait for ever for a task that does not stop', async () => {
    await running(1, { Parallelism: 1, Order: 'stop-first' });
    const [old] = bench.serving;
    await bench.setImage('v2');
    const others = () => bench.tasks.filter(({ id }) => id !== old?.id);
    for (const id of bench.meshes.keys()) await bench.apply(id);
    expect(others()).toMatchObject([{ desiredState: 'ready' }]);
    await bench.clock.advance(100_000);
    expect(others()).toMatchObject([{ desiredState: 'running' }]);
  });

  test('makes room when no node has any for one more', async () => {
    const Resources = { Reservations: { NanoCPUs: 1e9 } };
    const description = {
      Hostname: 'h',
      Platform: {},
      Resources: { NanoCPUs: 1e9 },
      Engine: { EngineVersion: '', Plugins: [] },
    };
    for (const id of ['n1', 'n2', 'n3']) await bench.setNode(id, { description });
    await running(3, undefined, { TaskTemplate: { ContainerSpec: { Image: 'v1' }, Resources } });
    await bench.setImage('v2');
    await until(() => state() === 'completed');
    expect(images(bench.serving)).toEqual(['v2', 'v2', 'v2']);
    expect(bench.violations).toEqual([]);
  });

  test('that is told start-first where it cannot work says so, and ends at its progress deadline', async () => {
    const Resources = { Reservations: { NanoCPUs: 1e9 } };
    const description = {
      Hostname: 'h',
      Platform: {},
      Resources: { NanoCPUs: 1e9 },
      Engine: { EngineVersion: '', Plugins: [] },
    };
    for (const id of ['n1', 'n2', 'n3']) await bench.setNode(id, { description });
    await running(
      3,
      { Parallelism: 1, Order: 'start-first' },
      {
        Labels: { 'bale.update.progress-deadline': '20s' },
        TaskTemplate: { ContainerSpec: { Image: 'v1' }, Resources },
      },
    );
    await bench.setImage('v2');
    await bench.round();
    await bench.round();
    expect(bench.service.updateStatus?.Message).toContain('start-first cannot go on: no suitable node');
    await until(() => state() === 'paused');
    expect(bench.service.updateStatus?.Message).toMatch(/^update paused due to no progress within 20 s: web\.\d: /);
    expect(images(bench.serving)).toEqual(['v1', 'v1', 'v1']);
  });

  test('pauses at the first failure, and the old task serves on', async () => {
    await running(3);
    await bench.setImage(BAD);
    await until(() => state() === 'paused');
    expect(bench.service.updateStatus?.Message).toMatch(
      /^update paused due to failure or early termination of task \w+$/,
    );
    for (let round = 0; round < 20; round += 1) await bench.round();
    expect(images(bench.serving)).toEqual(['v1', 'v1', 'v1']);
    expect(bench.containers).toHaveLength(3);
  });

  test('a task that dies while it is watched is a failure too', async () => {
    await running(2);
    await bench.setImage(FLAKY);
    await until(() => state() === 'paused');
  });

  test('a task that is unhealthy while it is watched is one failure, and is named', async () => {
    await running(2, { Parallelism: 1, MaxFailureRatio: 0.5 });
    await bench.setImage('v2');
    const fresh = () =>
      bench.serving.filter((task) => task.spec.ContainerSpec.Image === 'v2' && task.unhealthy !== true);
    await until(() => fresh().some(({ takeover }) => takeover?.settledAt !== undefined));
    const [first] = fresh();
    if (first === undefined) throw new Error('no new task');
    await bench.sicken(first);
    await until(() => bench.tasks.every(({ id, status }) => id !== first.id || status.State === 'shutdown'));
    expect(Math.max(...bench.tasks.map(({ takeover }) => takeover?.failures ?? 0))).toBe(1);
    expect(state()).toBe('updating');
    const second = await (async () => {
      await until(() => fresh().length > 0);
      return fresh()[0];
    })();
    if (second === undefined) throw new Error('no new task');
    await bench.sicken(second);
    await bench.clock.advance(10);
    expect(state()).toBe('paused');
    expect(bench.service.updateStatus?.Message).toBe(
      `update paused due to failure or early termination of task ${second.id}`,
    );
    expect(bench.violations).toEqual([]);
  });

  test('rolls back when told to, keeping the old task that serves', async () => {
    await running(3, { Parallelism: 1, FailureAction: 'rollback' });
    const before = bench.serving.map(({ id }) => id).sort();
    await bench.setImage(BAD);
    await until(() => state() === 'rollback_completed');
    expect(bench.serving.map(({ id }) => id).sort()).toEqual(before);
    expect(bench.service.spec.TaskTemplate.ContainerSpec.Image).toBe('v1');
    expect(bench.service.previousSpec).toBeUndefined();
  });

  test('that is scaled on its way is rolled back to what it was, with its new scale', async () => {
    await running(3, { Parallelism: 1, FailureAction: 'rollback' });
    await bench.setImage(BAD);
    await bench.update((old) => ({ ...old, Mode: { Replicated: { Replicas: 4 } } }));
    expect(bench.service.rollout?.slots).toBe(3);
    await until(() => state() === 'rollback_completed' && bench.serving.length === 4);
    expect(images(bench.serving)).toEqual(['v1', 'v1', 'v1', 'v1']);
  });

  test('goes on over failures when told to, and says which slots do not run', async () => {
    await running(3, { Parallelism: 1, FailureAction: 'continue' });
    await bench.setImage(BAD);
    await until(() => state() === 'completed');
    expect(bench.service.updateStatus?.Message).toBe(
      'update completed; slots that do not run what it asks for: 1, 2, 3',
    );
  });

  test('suffers as many failures as its ratio allows', async () => {
    await running(4, { Parallelism: 1, MaxFailureRatio: 0.25 });
    await bench.setImage('v2');
    await until(() => bench.tasks.some(({ takeover, status }) => takeover !== undefined && status.State === 'running'));
    const [victim] = bench.tasks.filter(({ takeover, status }) => takeover !== undefined && status.State === 'running');
    if (victim !== undefined) await bench.observe(victim, 'failed');
    await until(() => state() === 'completed');
  });

  test('is superseded by the next at once', async () => {
    await running(3);
    await bench.setImage(BAD);
    await bench.setImage('v3');
    await until(() => state() === 'completed');
    expect(images(bench.serving)).toEqual(['v3', 'v3', 'v3']);
  });

  test('of labels or of an order of variables restarts nothing', async () => {
    await running(2, undefined, { TaskTemplate: { ContainerSpec: { Image: 'v1', Env: ['A=1', 'B=2'] } } });
    const before = bench.serving.map(({ id }) => id);
    await bench.update((old) => ({
      ...old,
      Labels: { a: 'b' },
      TaskTemplate: {
        RestartPolicy: { Condition: 'any', Delay: 5e9 },
        ContainerSpec: { Image: 'v1', Env: ['B=2', 'A=1'], StopGracePeriod: 10e9 },
      },
    }));
    for (let round = 0; round < 5; round += 1) await bench.round();
    expect(bench.serving.map(({ id }) => id)).toEqual(before);
    expect(state()).toBeUndefined();
  });

  test('waits the delay between two slots', async () => {
    await running(2, { Parallelism: 1, Delay: 30e9 });
    await bench.setImage('v2');
    await until(() => bench.serving.some((task) => task.takeover?.settledAt !== undefined));
    for (let round = 0; round < 50; round += 1) await bench.round(500);
    expect(images(bench.serving)).toEqual(['v1', 'v2']);
    await until(() => state() === 'completed');
  });

  test('a manual rollback in the middle brings the old back without a new task', async () => {
    await running(2);
    const before = bench.serving.map(({ id }) => id).sort();
    await bench.setImage('v2');
    await bench.round(10);
    await bench.update(() => bench.service.previousSpec ?? bench.service.spec, 'manual-rollback');
    await until(() => state() === 'rollback_completed');
    expect(bench.serving.map(({ id }) => id).sort()).toEqual(before);
  });

  test('while a slot waits for its turn, a task that dies is replaced by its like', async () => {
    await running(2, { Parallelism: 1, Delay: 60e9 });
    await bench.setImage('v2');
    await until(() => bench.serving.some((task) => task.takeover?.settledAt !== undefined));
    const old = bench.serving.find((task) => task.spec.ContainerSpec.Image === 'v1');
    if (old !== undefined) await bench.observe(old, 'failed');
    for (let round = 0; round < 20; round += 1) await bench.round(500);
    expect(images(bench.serving)).toEqual(['v1', 'v2']);
  });
});

describe('a drained node', () => {
  test('is emptied task by task, each replaced before it stops', async () => {
    await running(6);
    const drained = { Labels: {}, Role: 'worker' as const, Availability: 'drain' as const };
    await bench.setNode('n1', { spec: drained });
    let least = 6;
    let most = 0;
    await until(() => {
      least = Math.min(least, bench.serving.length);
      most = Math.max(most, bench.containers.length);
      return bench.containers.every(({ nodeId }) => nodeId !== 'n1');
    });
    expect([least, most]).toEqual([6, 7]);
    expect(bench.violations).toEqual([]);
    expect(state()).toBeUndefined();
  });
});
