import { describe, expect, it } from 'vitest';
import { jobProgress } from '../../../cli/view/job-progress.js';
import { replicasText } from '../../../cli/view/replicas-text.js';
import { NOTHING_SEEN, serviceProgress } from '../../../cli/view/service-progress.js';
import type { ServiceDocument } from '../../../proto/engine/service-document.js';
import type { ServiceMode } from '../../../proto/engine/service-spec.js';
import type { TaskDocument } from '../../../proto/engine/task-document.js';
import type { TaskState } from '../../../proto/engine/task-state.js';
import { serviceDocument, taskDocument } from '../../support/documents.js';

const withMode = (Mode: ServiceMode, fields: Partial<ServiceDocument> = {}): ServiceDocument => {
  const service = serviceDocument('job', 1, fields);
  return { ...service, Spec: { ...service.Spec, Mode } };
};
const job = withMode({ ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 3 } });

const task = (place: number | string, State: TaskState, Err = ''): TaskDocument => {
  const ended = ['failed', 'rejected'].includes(State);
  const { Slot: _slot, ...plain } = taskDocument(`${place}-${State}`, {
    DesiredState: ended ? 'shutdown' : 'complete',
    Status: { Timestamp: '2026-01-01T00:00:00Z', State, Message: '', Err },
  });
  return typeof place === 'number' ? { ...plain, Slot: place } : { ...plain, NodeID: place };
};
const nodeNames = new Map([['n1', 'h1']]);
const shown = (service: ServiceDocument, tasks: readonly TaskDocument[]) => {
  const { lines, outcome } = jobProgress({ service, tasks, nodeNames });
  return { lines: lines.map(({ text }) => text), outcome };
};

describe('the progress of a job', () => {
  it('counts from slot 0 what is complete, and shows what runs', () => {
    expect(shown(job, [task(0, 'complete'), task(1, 'running'), task(2, 'preparing')])).toEqual({
      lines: ['job progress: 1 out of 3 complete', 'active tasks: 1 out of 2 tasks', '2/3: running', '3/3: preparing'],
      outcome: { kind: 'going' },
    });
  });

  it('ends when all slots are', () => {
    const { lines, outcome } = shown(job, [
      task(0, 'complete'),
      task(1, 'failed'),
      task(1, 'complete'),
      task(2, 'complete'),
    ]);
    expect(lines.at(-1)).toBe('job complete');
    expect(outcome).toEqual({ kind: 'done' });
  });

  it('fails when no slot that is left will be tried again, with the cause', () => {
    const { outcome } = shown(job, [
      task(0, 'complete'),
      task(1, 'failed', 'task: non-zero exit (3)'),
      task(2, 'complete'),
    ]);
    expect(outcome).toEqual({
      kind: 'failed',
      message: 'job failed: 1 of 3 tasks did not complete: task: non-zero exit (3)',
    });
  });

  it('says why a slot is tried again', () => {
    const { lines } = shown(job, [
      task(0, 'failed', 'exec: "backup":\nnot found'),
      { ...task(0, 'starting'), CreatedAt: '2026-01-02T00:00:00Z' },
      task(1, 'running'),
    ]);
    expect(lines.slice(2)).toEqual(['1/3: starting, tried again after: exec: "backup": not found', '2/3: running']);
  });

  it('goes on while a slot has not begun', () => {
    expect(shown(job, [task(0, 'failed'), task(1, 'failed')]).outcome).toEqual({ kind: 'going' });
  });

  it('goes on while the manager has not decided about a task that has failed just now', () => {
    const undecided = { ...task(0, 'failed', 'task: non-zero exit (3)'), DesiredState: 'complete' as const };
    const service = withMode({ ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } });
    expect(shown(service, [undecided]).outcome).toEqual({ kind: 'going' });
    expect(shown(service, [{ ...undecided, DesiredState: 'shutdown' }]).outcome.kind).toBe('failed');
  });

  it('has a line for each node of a global job', () => {
    const status = { RunningTasks: 1, DesiredTasks: 2, CompletedTasks: 0 };
    const service = withMode({ GlobalJob: {} }, { ServiceStatus: status });
    const { lines } = shown(service, [task('n1', 'running'), task('n2', 'pending', 'no room')]);
    expect(lines).toEqual([
      'job progress: 0 out of 2 complete',
      'active tasks: 1 out of 2 tasks',
      'h1: running',
      'n2: no room',
    ]);
  });
});

describe('the progress of a global service', () => {
  it('has a line for each node, and waits for those that have no task yet', () => {
    const status = { RunningTasks: 1, DesiredTasks: 2, CompletedTasks: 0 };
    const service = withMode({ Global: {} }, { ServiceStatus: status });
    const running = { ...task('n1', 'running'), DesiredState: 'running' as const };
    const { lines, outcome } = serviceProgress(
      { name: 'job', service, tasks: [running], nodeNames, now: 0 },
      NOTHING_SEEN,
    );
    expect(lines.map(({ text }) => text)).toEqual(['overall progress: 1 out of 2 tasks', 'h1: running']);
    expect(outcome).toEqual({ kind: 'going' });
  });
});

const counts = { ServiceStatus: { RunningTasks: 1, DesiredTasks: 2, CompletedTasks: 3 } };

it.each<[ServiceMode, string]>([
  [{ Replicated: { Replicas: 2 } }, '1/2'],
  [{ Global: {} }, '1/2'],
  [{ ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 5 } }, '1/2 (3/5 completed)'],
  [{ GlobalJob: {} }, '1/2 (3/5 completed)'],
])('service ls shows the replicas of %j as docker does', (mode, text) => {
  expect(replicasText(withMode(mode, counts), 0)).toBe(text);
});
