import { describe, expect, test } from 'vitest';
import type { ContainerState } from '../../../../agent/executor/executor.js';
import { NO_PROBES, type Probes } from '../../../../agent/worker/early-probes.js';
import {
  exitReport,
  failureReport,
  nextStep,
  type TaskFacts,
  type TaskStep,
} from '../../../../agent/worker/task-step.js';
import type { DesiredState, TaskState } from '../../../../proto/engine/task-state.js';
import { assignment } from '../../../support/assignments.js';

const container = (parts: Partial<ContainerState> = {}): ContainerState => ({
  taskId: 't1',
  serviceId: 's1',
  containerId: 'c1',
  phase: 'running',
  pid: 7,
  exitCode: 0,
  error: '',
  hostPorts: [],
  ...parts,
});

const created = container({ phase: 'created', pid: 0 });
const exited = (exitCode: number, error = ''): ContainerState =>
  container({ phase: 'exited', pid: 0, exitCode, error });

const status = (State: TaskState): TaskFacts['status'] => ({ Timestamp: '', State, Message: 'started' });

const FACTS = {
  removed: false,
  stale: false,
  imageMissing: false,
  pulled: false,
  unhealthy: false,
  probes: NO_PROBES,
  retryAt: 0,
  now: 1000,
} as const;

const step = (
  desired: DesiredState,
  state: TaskState,
  parts: Partial<Omit<TaskFacts, 'assignment' | 'status'>> = {},
): string => {
  const chosen = nextStep({
    assignment: assignment('t1', { desiredState: desired }),
    status: { Timestamp: '', State: state, Message: '' },
    container: undefined,
    ...FACTS,
    ...parts,
  });
  expect(chosen.reason).not.toBe('');
  if (chosen.kind === 'report') return `report ${chosen.state}${chosen.err === undefined ? '' : `: ${chosen.err}`}`;
  return chosen.kind;
};

describe('a task that is to run', () => {
  test.each<[TaskState, Partial<TaskFacts>, string]>([
    ['assigned', {}, 'report accepted'],
    ['accepted', {}, 'report preparing'],
    ['preparing', {}, 'create'],
    ['preparing', { imageMissing: true }, 'pull'],
    ['preparing', { container: created }, 'report ready'],
    ['ready', { container: created }, 'report starting'],
    ['starting', { container: created }, 'start'],
    ['starting', { container: container() }, 'report running'],
    ['running', { container: container() }, 'wait'],
  ])('when %s it goes on, one step at a time', (state, facts, expected) => {
    expect(step('running', state, facts)).toBe(expected);
  });

  test('asks the registry first when its service says so, once', () => {
    const asking = (pulled: boolean): string =>
      nextStep({
        assignment: assignment('t1', { serviceLabels: { 'bale.image.pull': 'always' } }),
        status: { Timestamp: '', State: 'preparing', Message: '' },
        container: undefined,
        ...FACTS,
        pulled,
      }).kind;
    expect([asking(false), asking(true)]).toEqual(['pull', 'create']);
  });

  test('is prepared and then held while the manager wants it ready only', () => {
    expect(step('ready', 'preparing')).toBe('create');
    expect(step('ready', 'ready', { container: created })).toBe('wait');
    expect(step('running', 'ready', { container: created })).toBe('report starting');
  });

  test('counts as running once its health check passed', () => {
    expect(step('running', 'starting', { container: container({ health: 'starting' }) })).toBe('wait');
    expect(step('running', 'starting', { container: container({ health: 'healthy' }) })).toBe('report running');
  });

  test('that is unhealthy before it ever ran is stopped at once, and has failed then', () => {
    expect(step('running', 'starting', { container: container({ health: 'unhealthy' }) })).toBe('stop');
    expect(step('running', 'starting', { container: exited(143), unhealthy: true })).toBe(
      'report failed: task: container unhealthy',
    );
  });

  test('that is unhealthy after it ran goes on running until the manager has it stopped', () => {
    const sick = container({
      health: 'unhealthy',
      lastProbe: { kind: 'ended', exitCode: 7, output: 'cannot\n reach db\n' },
    });
    const facts = { assignment: assignment('t1'), status: status('running'), container: sick };
    expect(nextStep({ ...FACTS, ...facts })).toMatchObject({
      kind: 'note',
      message: 'unhealthy, last probe exit 7: cannot reach db',
      err: 'task: container unhealthy',
      health: 'unhealthy',
    });
    const told = { ...status('running'), health: 'unhealthy' } as const;
    expect(nextStep({ ...FACTS, ...facts, status: told }).kind).toBe('wait');
    const condemned = {
      ...facts,
      status: told,
      assignment: assignment('t1', { desiredState: 'shutdown', unhealthy: true }),
    };
    expect(nextStep({ ...FACTS, ...condemned }).kind).toBe('stop');
    expect(nextStep({ ...FACTS, ...condemned, container: exited(143) })).toMatchObject({
      kind: 'report',
      state: 'failed',
      err: 'task: container unhealthy',
    });
  });

  test('that recovers before it is told to stop is healthy again', () => {
    const told = { ...status('running'), health: 'unhealthy' } as const;
    const facts = { assignment: assignment('t1'), status: told };
    const chosen = nextStep({ ...FACTS, ...facts, container: container({ health: 'healthy' }) });
    expect(chosen).toMatchObject({ kind: 'note', message: 'started' });
    expect(chosen).not.toHaveProperty('health');
    expect(nextStep({ ...FACTS, ...facts, container: container({ health: 'starting' }) }).kind).toBe('wait');
  });

  test('that ends by itself while unhealthy says how it ended', () => {
    expect(step('running', 'running', { container: exited(9), unhealthy: true })).toBe(
      'report failed: task: non-zero exit (9)',
    );
  });

  test('is complete with exit code 0, failed with any other', () => {
    expect(step('running', 'running', { container: exited(0) })).toBe('report complete');
    expect(step('running', 'starting', { container: exited(3) })).toBe('report failed: task: non-zero exit (3)');
  });

  test('has failed when its container was taken away', () => {
    expect(step('running', 'running')).toBe('report failed: task: the container was removed');
    expect(step('running', 'starting')).toBe('report failed: task: the container was removed');
  });

  test.each<TaskState>(['complete', 'failed', 'rejected', 'shutdown', 'orphaned'])('rests once %s', (state) => {
    expect(step('running', state)).toBe('wait');
    expect(step('running', state, { container: exited(1) })).toBe('wait');
    expect(step('running', state, { container: container() })).toBe('stop');
  });
});

describe('a task taken over from an earlier agent', () => {
  test('is never created or started again when its container runs or has ended', () => {
    for (const state of ['assigned', 'accepted', 'preparing', 'ready', 'starting'] as const) {
      for (const known of [container(), exited(0), exited(2)]) {
        expect(step('running', state, { container: known })).toMatch(/^report /);
      }
    }
  });

  test('goes on from a container that was only created', () => {
    expect(step('running', 'preparing', { container: created })).toBe('report ready');
  });

  test('is told to be running although only ready is wished: it runs already', () => {
    expect(step('ready', 'ready', { container: container() })).toBe('report starting');
    expect(step('ready', 'starting', { container: container() })).toBe('report running');
  });
});

describe('a task that is not wanted', () => {
  test.each<DesiredState>(['shutdown', 'remove'])('is stopped with its own grace when %s is wished', (desired) => {
    expect(step(desired, 'running', { container: container() })).toBe('stop');
    const chosen = nextStep({
      assignment: assignment('t1', { desiredState: desired, container: { StopGracePeriod: 3e9 } }),
      status: { Timestamp: '', State: 'running', Message: '' },
      container: container(),
      ...FACTS,
    });
    expect(chosen).toMatchObject({ kind: 'stop', graceNs: 3e9 });
  });

  test('is shut down whatever its exit code, and keeps its container', () => {
    expect(step('shutdown', 'running', { container: exited(143) })).toBe('report shutdown');
    expect(step('shutdown', 'shutdown', { container: exited(143) })).toBe('wait');
  });

  test('is shut down at once when it has not started', () => {
    expect(step('shutdown', 'assigned')).toBe('report shutdown');
    expect(step('shutdown', 'ready', { container: created })).toBe('report shutdown');
  });

  test('keeps the end it had', () => {
    expect(step('shutdown', 'failed', { container: exited(1) })).toBe('wait');
  });

  test('loses its container when it is no longer assigned', () => {
    expect(step('running', 'running', { removed: true, container: container() })).toBe('stop');
    expect(step('shutdown', 'shutdown', { removed: true, container: exited(0) })).toBe('remove');
    expect(step('running', 'preparing', { removed: true, container: created })).toBe('remove');
    expect(step('running', 'preparing', { removed: true })).toBe('end');
  });
});

describe('a task that waits for its health check', () => {
  const check = { command: ['ok'], interval: 30_000, timeout: 30_000, startPeriod: 0 };
  const waiting = (probes: Partial<Probes>, now = 1000, Err?: string): TaskStep =>
    nextStep({
      ...FACTS,
      assignment: assignment('t1'),
      status: { ...status('starting'), ...(Err === undefined ? {} : { Err }) },
      container: container({ health: 'starting', check }),
      probes: { ...NO_PROBES, ...probes },
      now,
    });

  test('has it run early, with growing pauses', () => {
    expect(waiting({ since: 1000 })).toMatchObject({ kind: 'wait', until: 1100 });
    expect(waiting({ since: 1000 }, 1100)).toMatchObject({ kind: 'probe', check });
    const times = Array.from({ length: 8 }, (_, made) => waiting({ since: 0, made }));
    expect(times.map((next) => (next.kind === 'wait' ? next.until : next.kind))).toEqual([
      'probe',
      'probe',
      'probe',
      'probe',
      1600,
      3200,
      5000,
      5000,
    ]);
  });

  test('has it run at the start interval of its spec while the start period lasts', () => {
    const fresh = container({ health: 'starting', check: { ...check, startPeriod: 10_000 } });
    const at = (probes: Partial<Probes>): TaskStep =>
      nextStep({
        ...FACTS,
        assignment: assignment('t1', { container: { Healthcheck: { StartInterval: 3e9 } } }),
        status: status('starting'),
        container: fresh,
        probes: { ...NO_PROBES, from: 1000, ...probes },
      });
    expect(at({ since: 1000 })).toMatchObject({ kind: 'wait', until: 4000 });
    expect(at({ since: 10_900, made: 3 })).toMatchObject({ kind: 'wait', until: 13_900 });
    expect(at({ since: 11_000, made: 4 })).toMatchObject({ kind: 'wait', until: 12_600 });
  });

  test('runs at the first success, whatever the Engine says meanwhile', () => {
    expect(waiting({ since: 0, made: 1, passed: true })).toMatchObject({ kind: 'report', state: 'running' });
    expect(step('running', 'running', { container: container({ health: 'starting', check }) })).toBe('wait');
  });

  test('says what it waits for, once', () => {
    const last = { kind: 'ended', exitCode: 1, output: `connection refused\n${'x'.repeat(500)}` } as const;
    const told = waiting({ since: 1000, made: 1, last });
    if (told.kind !== 'note') throw new Error(`not a note: ${told.kind}`);
    expect(told.err).toMatch(/^waiting for the health check, last probe exit 1: connection refused x{181}$/);
    expect(waiting({ since: 1000, made: 1, last }, 1000, told.err)).toMatchObject({ kind: 'wait', until: 1200 });
    expect(waiting({ since: 1000, made: 1, last: { kind: 'hangs' } })).toMatchObject({
      kind: 'note',
      err: 'waiting for the health check, the last probe has not ended in time',
    });
  });

  test('leaves it to an Engine that refuses', () => {
    const err = "waiting for the Engine's health check";
    expect(waiting({ since: 0, made: 1, refused: 'no' })).toMatchObject({ kind: 'note', err });
    const chosen = waiting({ since: 0, made: 1, refused: 'no' }, 1000, err);
    expect(chosen.kind).toBe('wait');
    expect(chosen).not.toHaveProperty('until');
  });
});

describe('what comes first', () => {
  test('nothing is decided on a container that may have changed', () => {
    expect(step('running', 'running', { stale: true, container: container() })).toBe('inspect');
    expect(step('shutdown', 'running', { stale: true, removed: true })).toBe('inspect');
  });

  test('an Engine that did not answer is left alone until the time to retry', () => {
    expect(step('running', 'preparing', { stale: true, retryAt: 1001 })).toBe('wait');
    expect(step('running', 'preparing', { retryAt: 1000 })).toBe('create');
  });
});

describe('why a task is over', () => {
  test('an out-of-memory kill says so', () => {
    expect(exitReport(exited(137, 'out of memory (limit 64 MiB)'), false)).toMatchObject({
      state: 'failed',
      err: 'task: non-zero exit (137): out of memory (limit 64 MiB)',
    });
  });

  test('before its start a task is rejected, from then on it fails', () => {
    expect(failureReport('preparing', 'No such image: x')).toMatchObject({
      state: 'rejected',
      err: 'No such image: x',
    });
    expect(failureReport('starting', 'no such program')).toMatchObject({ state: 'failed', err: 'no such program' });
  });
});
