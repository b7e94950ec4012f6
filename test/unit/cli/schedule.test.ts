import { describe, expect, test } from 'vitest';
import { prettyService } from '../../../cli/view/pretty-service.js';
import { replicasText } from '../../../cli/view/replicas-text.js';
import { runProgress, type RunLook } from '../../../cli/view/run-progress.js';
import { columns, scheduleLine } from '../../../cli/view/schedule.js';
import { NOTHING_SEEN, serviceProgress } from '../../../cli/view/service-progress.js';
import type { ScheduledRunDocument, ServiceDocument } from '../../../proto/engine/service-document.js';

const NOW = Date.parse('2026-01-01T00:10:00.000Z');

const service: ServiceDocument = {
  ID: 'job1',
  Version: { Index: 1 },
  CreatedAt: '2026-01-01T00:00:00.000Z',
  UpdatedAt: '2026-01-01T00:00:00.000Z',
  Spec: {
    Name: 'backup',
    Labels: { 'bale.schedule': '*/5 * * * *', 'bale.schedule.concurrency': 'replace' },
    TaskTemplate: { ContainerSpec: { Image: 'image' } },
    Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } },
  },
  Endpoint: { Spec: {} },
  nextRun: '2026-01-01T00:15:00.000Z',
  ServiceStatus: { RunningTasks: 0, DesiredTasks: 1, CompletedTasks: 2 },
};

const succeeded: ScheduledRunDocument = {
  due: '2026-01-01T00:05:00.000Z',
  cause: 'schedule',
  result: 'succeeded',
  reason: '2 of 2 tasks completed',
  iteration: 4,
  startedAt: '2026-01-01T00:05:00.100Z',
  finishedAt: '2026-01-01T00:05:20.100Z',
};

describe('service schedule', () => {
  const row = (run: ScheduledRunDocument) => columns(NOW).map(({ value }) => value(run));

  test('says when the job runs next', () => {
    const schedule = { pattern: '*/5 * * * *', timezone: 'UTC', concurrency: 'forbid', runs: [] } as const;
    expect(scheduleLine({ ...schedule, runs: [], nextRun: '2026-01-01T00:15:00.000Z' }, NOW)).toBe(
      '*/5 * * * * UTC, concurrency forbid: next run 2026-01-01T00:15:00.000Z (in 5 minutes)\n',
    );
  });

  test.each([
    [succeeded, ['2026-01-01T00:05:00.000Z', '4', '4 minutes ago', '20 seconds', 'succeeded: 2 of 2 tasks completed']],
    [
      {
        due: '2026-01-01T00:09:00.000Z',
        cause: 'request',
        result: 'running',
        iteration: 5,
        startedAt: '2026-01-01T00:09:00.000Z',
      },
      ['2026-01-01T00:09:00.000Z', '5', 'about a minute ago', 'About a minute', 'running (asked for)'],
    ],
    [
      {
        due: '2026-01-01T00:01:00.000Z',
        cause: 'schedule',
        result: 'skipped',
        reason: 'run 3 still goes on',
        skipped: { times: 4, last: '2026-01-01T00:04:00.000Z' },
      },
      [
        '2026-01-01T00:01:00.000Z',
        '-',
        '-',
        '-',
        'skipped (4 times, last 2026-01-01T00:04:00.000Z): run 3 still goes on',
      ],
    ],
  ] as const)('shows a run: $result', (run, cells) => {
    expect(row(run)).toEqual(cells);
  });
});

test('service ls and inspect show the schedule and the next run', () => {
  expect(replicasText(service, NOW)).toBe('0/1 (2/2 completed, */5 * * * *, next run in 5 minutes)');
  expect(prettyService(service)).toContain(
    'Schedule:\n Pattern:\t*/5 * * * * UTC\n Concurrency:\treplace\n Next run:\t2026-01-01T00:15:00.000Z\n',
  );
});

test('a command that changes a scheduled job does not wait for its runs', () => {
  expect(serviceProgress({ name: 'backup', service, tasks: [], now: NOW }, NOTHING_SEEN)).toMatchObject({
    lines: [{ text: 'job is scheduled: next run in 5 minutes' }],
    outcome: { kind: 'done' },
  });
});

describe('the progress of a run', () => {
  const look = (runs: readonly ScheduledRunDocument[] | undefined): RunLook => ({
    service,
    tasks: [],
    nodeNames: new Map(),
    iteration: 4,
    runs,
  });
  const running: ScheduledRunDocument = { due: '', cause: 'request', result: 'running', iteration: 4 };

  test('goes on while the daemon says so', () => {
    expect(runProgress(look([running]))).toMatchObject({
      lines: [{ text: 'job progress: 0 out of 2 complete' }, {}],
      outcome: { kind: 'going' },
    });
  });

  test('ends as the daemon says, whatever began meanwhile', () => {
    expect(runProgress(look([{ ...running, iteration: 5 }, succeeded]))).toMatchObject({
      lines: [{ text: 'job complete: 2 of 2 tasks completed' }],
      outcome: { kind: 'done' },
    });
    const replaced = { ...succeeded, result: 'replaced', reason: 'the next run began' } as const;
    expect(runProgress(look([replaced])).outcome).toEqual({
      kind: 'failed',
      message: 'run 4 replaced: the next run began',
    });
    expect(runProgress(look([])).outcome).toEqual({ kind: 'failed', message: 'run 4 is no longer in its history' });
  });

  test('of a job without a schedule is read from its tasks', () => {
    expect(runProgress(look(undefined)).outcome).toEqual({ kind: 'going' });
  });
});
