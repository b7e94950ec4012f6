import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rolloutConfig } from '../../manager/updater/rollout-config.js';
import { isUpToDate } from '../../manager/updater/effective-spec.js';
import { drained, type DrainLimits, withSpec } from '../../manager/updater/node-drain.js';
import type { ServiceSpec, UpdateConfig } from '../../proto/engine/service-spec.js';
import { BAD, FLAKY, RolloutBench } from '../support/rollout-bench.js';
import { ingressPort } from '../support/stored-objects.js';

const NODES = ['n1', 'n2', 'n3'];

type Event =
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'config'; readonly config: UpdateConfig }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'availability'; readonly node: string; readonly availability: 'active' | 'drain' }
  | { readonly kind: 'drain'; readonly node: string; readonly limits: DrainLimits }
  | { readonly kind: 'node'; readonly node: string; readonly state: 'ready' | 'down' }
  | { readonly kind: 'kill'; readonly pick: number }
  | { readonly kind: 'sicken'; readonly pick: number }
  | { readonly kind: 'steps'; readonly picks: readonly number[] }
  | { readonly kind: 'apply'; readonly node: string }
  | { readonly kind: 'begin'; readonly node: string; readonly pick: number }
  | { readonly kind: 'end'; readonly node: string }
  | { readonly kind: 'time'; readonly ms: number };

const config: fc.Arbitrary<UpdateConfig> = fc.record(
  {
    Parallelism: fc.integer({ min: 0, max: 3 }),
    Delay: fc.constantFrom(0, 2e9),
    FailureAction: fc.constantFrom('pause', 'continue', 'rollback'),
    Monitor: fc.constantFrom(0, 1e9, 10e9),
    MaxFailureRatio: fc.constantFrom(0, 0.5, 1),
    Order: fc.constantFrom('start-first', 'stop-first'),
  },
  { requiredKeys: ['Parallelism'] },
);

const node = fc.constantFrom(...NODES);

/** What the user does, what containers and meshes do. */
const calm: readonly fc.Arbitrary<Event>[] = [
  fc.record({ kind: fc.constant('image' as const), image: fc.constantFrom('v1', 'v2', 'v3') }),
  fc.record({ kind: fc.constant('rollback' as const) }),
  ...Array.from({ length: 4 }, () =>
    fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(100), { minLength: 3, maxLength: 20 }) }),
  ),
  ...Array.from({ length: 4 }, () => fc.record({ kind: fc.constant('apply' as const), node })),
  fc.record({ kind: fc.constant('begin' as const), node, pick: fc.nat(20) }),
  fc.record({ kind: fc.constant('end' as const), node }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 9_000 }) }),
];
const wild: readonly fc.Arbitrary<Event>[] = [
  fc.record({ kind: fc.constant('image' as const), image: fc.constantFrom(BAD, FLAKY) }),
  fc.record({ kind: fc.constant('config' as const), config }),
  fc.record({ kind: fc.constant('availability' as const), node, availability: fc.constantFrom('active', 'drain') }),
  fc.record({
    kind: fc.constant('drain' as const),
    node,
    limits: fc.record(
      { deadline: fc.constantFrom(1_000, 15_000), maxParallel: fc.integer({ min: 1, max: 3 }) },
      { requiredKeys: [] },
    ),
  }),
  fc.record({ kind: fc.constant('node' as const), node, state: fc.constantFrom('ready', 'ready', 'down') }),
  fc.record({ kind: fc.constant('kill' as const), pick: fc.nat(100) }),
  fc.record({ kind: fc.constant('sicken' as const), pick: fc.nat(100) }),
];

const setAvailability = (bench: RolloutBench, id: string, Availability: 'active' | 'drain'): Promise<void> => {
  const row = bench.store.view.get('node', id);
  if (row === undefined) throw new Error(`no node ${id}`);
  return bench.replaceNode(withSpec(row, { Labels: {}, Role: 'worker', Availability }, bench.clock.now()));
};

async function apply(bench: RolloutBench, event: Event): Promise<void> {
  const pick = (index: number) => bench.tasks[index % Math.max(1, bench.tasks.length)];
  switch (event.kind) {
    case 'image':
      return bench.setImage(event.image);
    case 'config':
      return bench.update((spec) => ({ ...spec, UpdateConfig: event.config }));
    case 'rollback': {
      const { previousSpec } = bench.service;
      return previousSpec === undefined ? undefined : bench.update(() => previousSpec, 'manual-rollback');
    }
    case 'availability':
      return setAvailability(bench, event.node, event.availability);
    case 'drain': {
      const row = bench.store.view.get('node', event.node);
      return row === undefined ? undefined : bench.setNode(event.node, drained(row, event.limits, bench.clock.now()));
    }
    case 'node':
      return bench.setNode(event.node, { status: { state: event.state, message: '', addr: '' } });
    case 'kill': {
      const task = pick(event.pick);
      return task?.status.State === 'running' ? bench.observe(task, 'failed') : undefined;
    }
    case 'sicken': {
      const task = pick(event.pick);
      return task === undefined ? undefined : bench.sicken(task);
    }
    case 'steps':
      for (const index of event.picks) {
        const task = pick(index);
        if (task !== undefined && bench.isUp(task.nodeId)) await bench.step(task);
      }
      return undefined;
    case 'apply':
      return bench.apply(event.node);
    case 'begin':
      bench.begin(event.node, event.pick);
      return undefined;
    case 'end':
      return bench.endAll(event.node);
    case 'time':
      await bench.clock.advance(event.ms);
  }
}

const specOf = (replicas: number, updateConfig: UpdateConfig, rollbackConfig: UpdateConfig): ServiceSpec => ({
  Name: 'web',
  Labels: { 'bale.update.progress-deadline': '60s', 'bale.drain.deadline': '20s' },
  TaskTemplate: { ContainerSpec: { Image: 'v1' } },
  Mode: { Replicated: { Replicas: replicas } },
  UpdateConfig: updateConfig,
  RollbackConfig: rollbackConfig,
});

const run = (events: readonly fc.Arbitrary<Event>[]) =>
  fc.record({
    replicas: fc.integer({ min: 1, max: 4 }),
    update: config,
    rollback: config,
    events: fc.array(fc.oneof(...events), { maxLength: 40 }),
  });

interface Run {
  readonly replicas: number;
  readonly update: UpdateConfig;
  readonly rollback: UpdateConfig;
  readonly events: readonly Event[];
}

async function play(
  { replicas, update, rollback, events }: Run,
  check: (bench: RolloutBench) => void,
): Promise<RolloutBench> {
  const bench = await RolloutBench.start(NODES);
  await bench.create(specOf(replicas, update, rollback), [ingressPort(8080, 80)]);
  for (let round = 0; round < 10; round += 1) await bench.round();
  expect(bench.serving).toHaveLength(replicas);
  for (const event of events) {
    await apply(bench, event);
    check(bench);
  }
  return bench;
}

const ENDED = [undefined, 'completed', 'paused', 'rollback_completed', 'rollback_paused'];

describe('whatever is changed while a service is changed', () => {
  test('as many replicas serve as the order promises, and no more tasks run than it allows', async () => {
    await fc.assert(
      fc.asyncProperty(run(calm), async (given) => {
        const { replicas } = given;
        const parallel = Math.max(...[given.update, given.rollback].map((one) => places(one, replicas)));
        const orders = new Set([given.update, given.rollback].map(({ Order }) => Order ?? 'start-first'));
        const bench = await play(given, ({ serving, tasks }) => {
          if (!orders.has('stop-first')) expect(serving.length).toBeGreaterThanOrEqual(replicas);
          else expect(serving.length).toBeGreaterThanOrEqual(replicas - parallel);
          const told = tasks.filter(
            ({ desiredState, status }) =>
              desiredState === 'running' && !['failed', 'shutdown', 'complete', 'orphaned'].includes(status.State),
          );
          expect(told.length).toBeLessThanOrEqual(replicas + (orders.has('start-first') ? parallel : 0));
        });
        expect(bench.violations).toEqual([]);
        await bench.close();
      }),
      { numRuns: 300 },
    );
  });

  test('no task is stopped that a mesh uses, and every rollout ends', async () => {
    await fc.assert(
      fc.asyncProperty(run([...calm, ...wild]), async (given) => {
        const bench = await play(given, () => undefined);
        for (const id of NODES) {
          await bench.setNode(id, { status: { state: 'ready', message: '', addr: '' } });
          await setAvailability(bench, id, 'active');
        }
        for (let round = 0; round < 400 && !isAtRest(bench); round += 1) await bench.round(2_000);
        expect(ENDED).toContain(bench.service.updateStatus?.State);
        expect(bench.violations).toEqual([]);
        const { service, serving } = bench;
        if (service.updateStatus?.State === 'completed' && rolloutConfig(service).failureAction !== 'continue') {
          expect(serving.filter((task) => !isUpToDate(task, service, undefined))).toEqual([]);
        }
        await bench.close();
      }),
      { numRuns: 300 },
    );
  });
});

const isAtRest = ({ service, tasks }: RolloutBench): boolean =>
  ENDED.includes(service.updateStatus?.State) && tasks.every(({ draining }) => draining === undefined);

const places = ({ Parallelism }: UpdateConfig, replicas: number): number =>
  Parallelism === 0 ? replicas : Math.min(replicas, Parallelism);
