import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRequest, decideSchedule, type ScheduleAction } from '../../manager/schedule/decide-schedule.js';
import { goingRuns } from '../../manager/schedule/open-runs.js';
import { applySchedule, firstRun } from '../../manager/schedule/schedule-state.js';
import type { ServiceObject, TaskObject } from '../../manager/store/objects.js';
import { cronTimes, type CronTimes } from '../../proto/engine/cron.js';
import { CONCURRENCIES, scheduleOf, type Concurrency, type Schedule } from '../../proto/engine/schedule-labels.js';
import type { ServiceMode } from '../../proto/engine/service-spec.js';
import { isTerminal } from '../../proto/engine/task-state.js';
import { storedService } from '../support/stored-objects.js';
import { ClusterModel } from '../unit/manager/orchestrator/cluster-model.js';

const NODES = ['n1', 'n2', 'n3'];
const EACH_MINUTE = cronTimes('* * * * *', 'UTC');
/** A pattern whose last due time has passed. */
const NO_MORE: CronTimes = { next: () => undefined, last: () => undefined };

/** A cluster with one job that is due each minute. */
class ScheduledCluster extends ClusterModel {
  /** All that was decided, in order. */
  readonly decided: ScheduleAction[] = [];
  readonly rule: Schedule;

  constructor(concurrency: Concurrency, mode: ServiceMode) {
    super();
    for (const id of NODES) this.addNode(id);
    const labels = { 'bale.schedule': '* * * * *', 'bale.schedule.concurrency': concurrency };
    const plain = storedService('job', { mode, labels });
    const schedule = scheduleOf(labels);
    if (schedule === undefined) throw new Error('no schedule');
    this.rule = schedule;
    this.services.set('job', { ...plain, ...firstRun(plain.spec, this.now) });
  }

  get service(): ServiceObject {
    const service = this.services.get('job');
    if (service === undefined) throw new Error('no job');
    return service;
  }

  /** What the schedule loop does. */
  keep(times = EACH_MINUTE): void {
    this.#apply(this.#due(times));
  }

  /** The manager decides, and dies before it is durable. */
  keepLost(): void {
    this.#due(EACH_MINUTE);
  }

  request(): void {
    const decided = decideRequest(this.#view());
    if (decided.kind === 'run') this.#apply(decided.actions);
  }

  #due(times: CronTimes): readonly ScheduleAction[] {
    return decideSchedule({ ...this.#view(), times }).actions;
  }

  #apply(actions: readonly ScheduleAction[]): void {
    this.decided.push(...actions);
    this.services.set('job', applySchedule(this.service, actions, this.now));
  }

  #view() {
    const { service, rule: schedule, nodeOf, now } = this;
    return { service, schedule, nodeOf, now, tasks: this.tasksOf('job'), nodes: [...this.nodes.values()] };
  }
}

type Event =
  | { readonly kind: 'time'; readonly seconds: number }
  | { readonly kind: 'away'; readonly seconds: number }
  | { readonly kind: 'back'; readonly seconds: number }
  | { readonly kind: 'lost' | 'request' }
  | { readonly kind: 'node'; readonly node: string; readonly up: boolean }
  | { readonly kind: 'availability'; readonly node: string; readonly value: 'active' | 'drain' }
  | { readonly kind: 'end'; readonly pick: number; readonly state: 'failed' | 'complete' }
  | { readonly kind: 'steps'; readonly picks: readonly number[] };

const node = fc.constantFrom(...NODES);
const seconds = fc.integer({ min: 0, max: 200 });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('time' as const), seconds: fc.integer({ min: 0, max: 70 }) }),
  fc.record({ kind: fc.constant('time' as const), seconds: fc.integer({ min: 0, max: 70 }) }),
  fc.record({ kind: fc.constant('away' as const), seconds }),
  fc.record({ kind: fc.constant('back' as const), seconds }),
  fc.record({ kind: fc.constantFrom('lost' as const, 'request' as const) }),
  fc.record({ kind: fc.constant('node' as const), node, up: fc.boolean() }),
  fc.record({ kind: fc.constant('availability' as const), node, value: fc.constantFrom('active', 'drain') }),
  fc.record({ kind: fc.constant('end' as const), pick: fc.nat(50), state: fc.constantFrom('failed', 'complete') }),
  fc.record({ kind: fc.constant('end' as const), pick: fc.nat(50), state: fc.constantFrom('complete') }),
  fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(50), { maxLength: 30 }) }),
  fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(50), { maxLength: 30 }) }),
);

function apply(model: ScheduledCluster, event: Event): void {
  const picked = (pick: number): TaskObject | undefined => {
    const tasks = [...model.tasks.values()];
    return tasks[pick % Math.max(1, tasks.length)];
  };
  switch (event.kind) {
    case 'time':
    case 'away':
      model.now += event.seconds * 1_000;
      break;
    case 'back':
      model.now -= event.seconds * 1_000;
      break;
    case 'lost':
      model.keepLost();
      break;
    case 'request':
      model.request();
      break;
    case 'node':
      model.setNodeUp(event.node, event.up);
      break;
    case 'availability':
      model.setNodeSpec(event.node, { Availability: event.value });
      break;
    case 'end': {
      const task = picked(event.pick);
      const mayEnd = event.state === 'failed' || task?.status.State === 'running';
      if (task !== undefined && mayEnd) model.end(task, event.state);
      break;
    }
    case 'steps':
      for (const pick of event.picks) {
        const task = picked(pick);
        if (task !== undefined) model.step(task);
      }
      break;
  }
}

/** After each event the manager looks, but for `away`: then it is not there. */
function play(model: ScheduledCluster, events: readonly Event[], check: () => void): void {
  for (const next of events) {
    apply(model, next);
    check();
    if (next.kind === 'away') continue;
    model.keep();
    check();
    model.orchestrate();
    model.schedule();
    model.reap();
    check();
  }
}

const MODES: readonly ServiceMode[] = [
  { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 3 } },
  { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
  { GlobalJob: {} },
];
const cluster = fc.tuple(fc.constantFrom(...CONCURRENCIES), fc.constantFrom(...MODES)).map(
  ([concurrency, mode]) =>
    () =>
      new ScheduledCluster(concurrency, mode),
);
const events = fc.array(event, { maxLength: 60 });

describe('a scheduled job, whatever happens to manager, nodes and clock,', () => {
  test('begins no two runs for one due time, passes none over, and keeps its rule of concurrency', () => {
    fc.assert(
      fc.property(cluster, events, (make, list) => {
        const model = make();
        let handled = model.service.schedule?.handledUntil ?? 0;
        play(model, list, () => {
          const now = model.service.schedule?.handledUntil ?? 0;
          expect(now).toBeGreaterThanOrEqual(handled);
          handled = now;
          const going = goingRuns(model.service);
          if (model.rule.concurrency === 'allow') expect(going.length).toBeLessThanOrEqual(20);
          else expect(going.length).toBeLessThanOrEqual(1);
        });
        const dues = model.decided.flatMap((action) =>
          action.kind === 'skip' || (action.kind === 'start' && action.cause === 'schedule') ? [action.due] : [],
        );
        expect([...dues].sort((a, b) => a - b)).toEqual(dues);
        expect(new Set(dues).size).toBe(dues.length);
        expect(dues.every((due) => due % 60_000 === 0)).toBe(true);
        const away = list.some(({ kind }) => kind === 'away' || kind === 'time');
        if (!away) expect(dues).toEqual([]);
        // Looked at in time, each minute has its entry.
        const before = dues.length;
        for (let minute = 0; minute < 3; minute += 1) {
          model.now = handled + (minute + 1) * 60_000;
          model.keep();
        }
        expect(model.decided.filter(({ kind }) => kind !== 'end').length).toBeGreaterThanOrEqual(before + 3);
      }),
      { numRuns: 300 },
    );
  });

  test('never lets more tasks of one run run than it asks for, nor tasks of a run that is over begin', () => {
    fc.assert(
      fc.property(cluster, events, (make, list) => {
        const model = make();
        play(model, list, () => undefined);
        const { ReplicatedJob } = model.service.spec.Mode;
        if (ReplicatedJob === undefined) return;
        const open = new Set(goingRuns(model.service).map(({ iteration }) => iteration));
        const live = model
          .tasksOf('job')
          .filter(({ status, nodeId = '' }) => !isTerminal(status.State) && !model.wasDown.has(nodeId));
        for (const iteration of open) {
          const own = live.filter((task) => task.jobIteration === iteration && task.desiredState === 'complete');
          expect(own.length).toBeLessThanOrEqual(ReplicatedJob.MaxConcurrent ?? 1);
        }
        const stale = live.filter(
          ({ jobIteration, desiredState }) =>
            desiredState === 'complete' &&
            !open.has(jobIteration ?? -1) &&
            jobIteration !== model.service.job?.iteration,
        );
        expect(stale).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('ends all its runs when tasks complete, each slot once, and forgets the tasks of all but the newest', () => {
    fc.assert(
      fc.property(cluster, events, (make, list) => {
        const model = make();
        play(model, list, () => undefined);
        for (const id of NODES) {
          model.setNodeUp(id, true);
          model.setNodeSpec(id, { Availability: 'active' });
        }
        for (let round = 0; round < 300; round += 1) {
          model.round();
          for (const task of model.tasksOf('job')) if (task.status.State === 'running') model.end(task, 'complete');
          model.keep(NO_MORE);
        }
        expect(goingRuns(model.service)).toEqual([]);
        const newest = model.tasksOf('job').filter((task) => task.jobIteration === model.service.job?.iteration);
        expect(model.tasksOf('job').filter((task) => !newest.includes(task))).toEqual([]);
        const last = model.decided.findLast(({ kind }) => kind === 'end');
        const started = model.decided.filter(({ kind }) => kind === 'start').length;
        const ended = model.decided.filter(({ kind }) => kind === 'end').length;
        expect(ended).toBe(started);
        if (last?.kind === 'end' && last.outcome === 'succeeded') expect(last.reason).toMatch(/^(\d+) of \1 tasks/);
      }),
      { numRuns: 200 },
    );
  });
});
