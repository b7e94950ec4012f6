import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskObject } from '../../../../manager/store/objects.js';
import { runsAlike } from '../../../../manager/updater/effective-spec.js';
import type { ServiceSpec } from '../../../../proto/engine/service-spec.js';
import { RolloutBench } from '../../../support/rollout-bench.js';

let bench: RolloutBench;
beforeEach(async () => {
  bench = await RolloutBench.start(['n1', 'n2', 'n3']);
});
afterEach(async () => {
  await bench.close();
});

const spec = (Labels: Record<string, string>, over: Partial<ServiceSpec> = {}): ServiceSpec => ({
  Name: 'web',
  Labels,
  TaskTemplate: { ContainerSpec: { Image: 'v1' } },
  Mode: { Replicated: { Replicas: 2 } },
  ...over,
});
const until = async (done: () => boolean): Promise<void> => {
  for (let round = 0; round < 300 && !done(); round += 1) await bench.round(500);
  expect(done(), JSON.stringify(bench.service.updateStatus)).toBe(true);
};
const serving = (): readonly TaskObject[] => [...bench.serving].sort((a, b) => a.slot - b.slot);
const ids = (): readonly string[] => serving().map(({ id }) => id);
const sizes = (): readonly (number | undefined)[] => serving().map(({ hostOptions }) => hostOptions?.shmSize);

describe('host options of a service', () => {
  test('are what its tasks are made with; another value replaces them through the updater', async () => {
    await bench.create(spec({ 'bale.shm-size': '1m' }));
    await until(() => bench.serving.length === 2);
    expect(sizes()).toEqual([2 ** 20, 2 ** 20]);
    await bench.update((now) => ({ ...now, Labels: { 'bale.shm-size': '2m' } }));
    expect(bench.service.updateStatus?.State).toBe('updating');
    // A task that dies before its slot is changed is made again as it was.
    const second = serving()[1];
    if (second === undefined) throw new Error('no task');
    await bench.observe(second, 'failed');
    const successors = bench.tasks.filter(({ slot, id }) => slot === 2 && id !== second.id);
    expect(successors.map(({ hostOptions }) => hostOptions)).toContainEqual({ shmSize: 2 ** 20 });
    await until(() => bench.service.updateStatus?.State === 'completed');
    expect(sizes()).toEqual([2 ** 21, 2 ** 21]);
    await bench.update((now) => ({ ...now, Labels: { 'bale.shm-size': '1m' } }), 'manual-rollback');
    await until(() => bench.service.updateStatus?.State === 'rollback_completed');
    expect(sizes()).toEqual([2 ** 20, 2 ** 20]);
  });

  test('written in another way replace nothing, and neither do other labels', async () => {
    await bench.create(spec({ 'bale.shm-size': '1m', a: '1' }));
    await until(() => bench.serving.length === 2);
    const before = ids();
    await bench.update((now) => ({
      ...now,
      Labels: { 'bale.privileged': 'false', 'bale.shm-size': '1024k', 'bale.image.pull': 'always' },
    }));
    expect(bench.service.updateStatus).toBeUndefined();
    await bench.round(500);
    expect(ids()).toEqual(before);
  });

  test('begin a new rollout when they change in the middle of one', async () => {
    await bench.create(spec({}));
    await until(() => bench.serving.length === 2);
    await bench.setImage('v2');
    const first = bench.service.rollout?.id;
    await bench.update((now) => ({ ...now, Labels: { 'bale.shm-size': '1m' } }));
    expect(bench.service.rollout?.id).not.toBe(first);
    await until(() => bench.service.updateStatus?.State === 'completed');
    expect(serving().every((task) => runsAlike(task, bench.service))).toBe(true);
    expect(sizes()).toEqual([2 ** 20, 2 ** 20]);
  });
});

test('a task that may not be made any more takes over from nobody, whatever room there is', async () => {
  bench.allowed.add('privileged');
  await bench.create(spec({ 'bale.privileged': 'true', 'bale.update.progress-deadline': '20s' }));
  await until(() => bench.serving.length === 2);
  const before = ids();
  bench.allowed.clear();
  await bench.setImage('v2');
  await until(() => bench.service.updateStatus?.State === 'paused');
  expect(ids()).toEqual(before);
  expect(bench.service.updateStatus?.Message).toContain('start its daemon with --allow privileged');
  bench.allowed.add('privileged');
  await bench.update((now) => ({ ...now, Labels: {} }));
  await until(() => bench.service.updateStatus?.State === 'completed');
  expect(serving().map(({ hostOptions, heldBack }) => [hostOptions, heldBack])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
});

test('an update of a service with a volume leaves each slot on its node', async () => {
  const Mounts = [{ Type: 'volume' as const, Source: 'data', Target: '/data' }];
  await bench.create(spec({}, { TaskTemplate: { ContainerSpec: { Image: 'v1', Mounts } } }));
  await until(() => bench.serving.length === 2);
  const before = serving().map(({ nodeId }) => nodeId);
  await bench.setImage('v2');
  await until(() => bench.service.updateStatus?.State === 'completed');
  expect(serving().map(({ nodeId }) => nodeId)).toEqual(before);
  expect(serving().map((task) => task.volumesLeft)).toEqual([undefined, undefined]);
});
