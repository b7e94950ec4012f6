import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { ServiceSpec, UpdateConfig } from '../../../../proto/engine/service-spec.js';
import { isTerminal } from '../../../../proto/engine/task-state.js';
import { BAD, RolloutBench } from '../../../support/rollout-bench.js';
import { ingressPort } from '../../../support/stored-objects.js';

/** One slot at a time, unless a test says otherwise. */
type Config = Partial<UpdateConfig>;
const configOf = (config: Config): UpdateConfig => ({ Parallelism: 1, ...config });

let bench: RolloutBench;
/** Each state and message that the service showed, once. */
let shown: string[];
beforeEach(async () => {
  bench = await RolloutBench.start(['n1', 'n2']);
  shown = [];
  bench.store.watch(({ changes }) => {
    for (const change of changes) {
      if (change.table !== 'service' || change.after?.updateStatus === undefined) continue;
      const { State, Message } = change.after.updateStatus;
      const line = `${State}: ${Message ?? ''}`;
      if (shown.at(-1) !== line) shown.push(line);
    }
  });
});
afterEach(() => bench.close());

const spec = (replicas: number, over: Partial<ServiceSpec> = {}): ServiceSpec => ({
  Name: 'web',
  Labels: { 'bale.update.progress-deadline': '20s' },
  TaskTemplate: { ContainerSpec: { Image: 'v1' } },
  Mode: { Replicated: { Replicas: replicas } },
  ...over,
});
/** Both nodes have their replica, so that no third one finds a place beside them. */
const full = (config: Config, rollback?: Config): ServiceSpec =>
  spec(2, {
    TaskTemplate: { ContainerSpec: { Image: 'v1' }, Placement: { MaxReplicas: 1 } },
    UpdateConfig: configOf(config),
    ...(rollback === undefined ? {} : { RollbackConfig: configOf(rollback) }),
  });

async function running(wanted: ServiceSpec): Promise<readonly string[]> {
  await bench.create(wanted, [ingressPort(8080, 80)]);
  await until(() => bench.serving.length === (wanted.Mode.Replicated?.Replicas ?? 0));
  return ids();
}

async function until(done: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !done(); round += 1) await bench.round(500);
  expect({ done: done(), status: bench.service.updateStatus }).toMatchObject({ done: true });
}

const state = (): string | undefined => bench.service.updateStatus?.State;
const ids = (): readonly string[] => bench.serving.map(({ id }) => id).sort();
const images = (tasks: readonly TaskObject[]): readonly string[] =>
  tasks.map((task) => task.spec.ContainerSpec.Image).sort();

const FAILURE = 'due to failure or early termination of task';
const STUCK = 'due to no progress within 20 s: web\\.[12]: start-first cannot go on: no suitable node';

describe('the status of a service has the states and words of the Engine', () => {
  const pattern = (lines: readonly string[]) =>
    lines.map((line) => expect.stringMatching(new RegExp(`^${line}$`)) as string);
  const failing = (config: Config) => spec(2, { UpdateConfig: configOf(config) });

  test.each<[string, ServiceSpec, string, readonly string[]]>([
    ['an update', failing({}), 'v2', ['updating: update in progress', 'completed: update completed']],
    [
      'one that fails',
      failing({ FailureAction: 'pause' }),
      BAD,
      ['updating: update in progress', `paused: update paused ${FAILURE} \\w+`],
    ],
    [
      'one that fails and goes on',
      failing({ FailureAction: 'continue' }),
      BAD,
      ['updating: update in progress', 'completed: update completed; slots that do not run what it asks for: 1, 2'],
    ],
    [
      'one that fails and goes back',
      failing({ FailureAction: 'rollback' }),
      BAD,
      [
        'updating: update in progress',
        `rollback_started: update rolled back ${FAILURE} \\w+`,
        'rollback_completed: rollback completed',
      ],
    ],
  ])('%s', async (_what, wanted, image, lines) => {
    await running(wanted);
    await bench.setImage(image);
    const { StartedAt, CompletedAt } = bench.service.updateStatus ?? {};
    expect({ StartedAt, CompletedAt }).toEqual({ StartedAt: expect.stringMatching(/Z$/) as string });
    const last = lines.at(-1)?.split(':', 1)[0];
    await until(() => state() === last);
    expect(shown).toEqual(pattern(lines));
    expect(bench.service.updateStatus?.CompletedAt === undefined).toBe(last === 'paused');
    expect(bench.service.rollout === undefined).toBe(last !== 'paused');
    expect(bench.violations).toEqual([]);
  });

  test.each<[string, Config, string, readonly string[]]>([
    [
      'a rollback by hand',
      {},
      'v0',
      ['rollback_started: manually requested rollback', 'rollback_completed: rollback completed'],
    ],
    [
      'one that fails',
      {},
      BAD,
      ['rollback_started: manually requested rollback', `rollback_paused: rollback paused ${FAILURE} \\w+`],
    ],
    [
      'one that fails and is not rolled back again',
      { FailureAction: 'rollback' },
      BAD,
      ['rollback_started: manually requested rollback', `rollback_paused: rollback paused ${FAILURE} \\w+`],
    ],
    [
      'one that fails and goes on',
      { FailureAction: 'continue' },
      BAD,
      [
        'rollback_started: manually requested rollback',
        'rollback_completed: rollback completed; slots that do not run what it asks for: 1, 2',
      ],
    ],
  ])('%s', async (_what, config, image, lines) => {
    await running(spec(2, { RollbackConfig: configOf(config) }));
    const back = (old: ServiceSpec): ServiceSpec => ({ ...old, TaskTemplate: { ContainerSpec: { Image: image } } });
    await bench.update(back, 'manual-rollback');
    await until(() => state() === lines.at(-1)?.split(':', 1)[0]);
    expect(shown).toEqual(pattern(lines));
  });
});

describe('a start-first update that finds no place for a task', () => {
  const START_FIRST: Config = { Order: 'start-first' };

  test('says so at once, with the reason of the scheduler', async () => {
    await running(full(START_FIRST));
    await bench.setImage('v2');
    await bench.round();
    expect(bench.service.updateStatus).toMatchObject({
      State: 'updating',
      Message: expect.stringMatching(
        /^update in progress; start-first may not work: at most 1 replicas may run on a node; web\.1: start-first cannot go on: no suitable node \(.*\)/,
      ) as string,
    });
  });

  test.each<[NonNullable<Config['FailureAction']>, string, string, string]>([
    ['pause', 'paused', `update paused ${STUCK}`, 'v2'],
    ['continue', 'completed', 'update completed; slots that do not run what it asks for: 1, 2', 'v2'],
    ['rollback', 'rollback_completed', 'rollback completed', 'v1'],
  ])('ends at its progress deadline: %s', async (FailureAction, end, message, image) => {
    const before = await running(full({ ...START_FIRST, FailureAction }));
    await bench.setImage('v2');
    await until(() => state() === end);
    expect(bench.service.updateStatus?.Message).toMatch(new RegExp(`^${message}`));
    expect(bench.service.spec.TaskTemplate.ContainerSpec.Image).toBe(image);
    if (FailureAction === 'rollback') {
      expect(shown).toContainEqual(expect.stringMatching(`^rollback_started: update rolled back ${STUCK}`));
    }
    for (let round = 0; round < 20; round += 1) await bench.round();
    expect(ids()).toEqual(before);
    expect(state()).toBe(end);
  });

  test.each<[NonNullable<Config['FailureAction']>, string, string]>([
    ['pause', 'rollback_paused', `rollback paused ${STUCK}`],
    ['rollback', 'rollback_paused', `rollback paused ${STUCK}`],
    ['continue', 'rollback_completed', 'rollback completed; slots that do not run what it asks for: 1, 2'],
  ])('a rollback that finds none ends there too: %s', async (FailureAction, end, message) => {
    const before = await running(full({}, { ...START_FIRST, FailureAction }));
    await bench.update(
      (old) => ({ ...old, TaskTemplate: { ...old.TaskTemplate, ContainerSpec: { Image: 'v0' } } }),
      'manual-rollback',
    );
    await until(() => state() === end);
    expect(bench.service.updateStatus?.Message).toMatch(new RegExp(`^${message}`));
    expect(ids()).toEqual(before);
  });

  test('is superseded at once by an update that stops first', async () => {
    await running(full(START_FIRST));
    await bench.setImage('v2');
    await bench.round();
    await bench.update((old) => ({
      ...old,
      UpdateConfig: configOf({ Order: 'stop-first' }),
      TaskTemplate: { ...old.TaskTemplate, ContainerSpec: { Image: 'v3' } },
    }));
    await bench.clock.advance(50);
    const live = bench.tasks.filter(
      ({ desiredState, status }) => desiredState !== 'shutdown' && !isTerminal(status.State),
    );
    expect(images(live)).toEqual(expect.not.arrayContaining(['v2']));
    expect(images(live)).toContain('v3');
    await until(() => state() === 'completed');
    expect(images(bench.serving)).toEqual(['v3', 'v3']);
    expect(bench.service.updateStatus?.Message).toBe('update completed');
  });
});

describe('a rollback of a start-first update', () => {
  const goBack = (): Promise<void> => {
    const { previousSpec, spec: present } = bench.service;
    return bench.update(() => previousSpec ?? present, 'manual-rollback');
  };

  test('of all slots at once keeps every old task', async () => {
    const before = await running(spec(4, { UpdateConfig: { Parallelism: 0 } }));
    await bench.setImage('v2');
    for (const task of bench.tasks) await bench.step(task);
    await goBack();
    let least = 4;
    await until(() => {
      least = Math.min(least, bench.serving.filter(({ id }) => before.includes(id)).length);
      return state() === 'rollback_completed';
    });
    expect([ids(), least]).toEqual([before, 4]);
    expect(bench.violations).toEqual([]);
  });

  test('takes an old task back that drains already, with requests under way', async () => {
    const before = await running(spec(2));
    await bench.setImage('v2');
    const draining = () => bench.tasks.find((task) => task.draining !== undefined);
    for (let turn = 0; turn < 50 && draining() === undefined; turn += 1) {
      for (const task of bench.tasks) await bench.step(task);
      for (const id of bench.meshes.keys()) {
        await bench.apply(id);
        bench.begin(id, 0);
        bench.begin(id, 1);
      }
    }
    const leaving = draining();
    expect(before).toContain(leaving?.id);
    await goBack();
    await until(() => state() === 'rollback_completed');
    expect(ids()).toEqual(before);
    expect(bench.violations).toEqual([]);
  });

  test('replaces what is gone already, and keeps the rest', async () => {
    const before = await running(spec(3));
    await bench.setImage('v2');
    await until(() => bench.tasks.some(({ id, status }) => before.includes(id) && isTerminal(status.State)));
    const kept = ids().filter((id) => before.includes(id));
    await goBack();
    await until(() => state() === 'rollback_completed');
    expect(ids()).toEqual(expect.arrayContaining([...kept]));
    expect(images(bench.serving)).toEqual(['v1', 'v1', 'v1']);
  });
});
