import { beforeEach, describe, expect, it } from 'vitest';
import type { TaskObject } from '../../../../manager/store/objects.js';
import { isTerminal } from '../../../../proto/engine/task-state.js';
import { ClusterModel } from './cluster-model.js';

let model: ClusterModel;
beforeEach(() => {
  model = new ClusterModel();
  for (const id of ['n1', 'n2', 'n3']) model.addNode(id);
});

const rounds = (count = 8): void => {
  for (let round = 0; round < count; round += 1) model.round();
};
const tasks = (): readonly TaskObject[] => [...model.tasksOf('job')].sort((a, b) => a.slot - b.slot);
const running = (): readonly TaskObject[] => tasks().filter(({ status }) => status.State === 'running');
const completed = (): readonly number[] =>
  tasks().flatMap(({ slot, status }) => (status.State === 'complete' ? slot : []));
const endAll = (state: 'failed' | 'complete'): void => {
  for (const task of running()) model.end(task, state);
};

describe('a replicated job', () => {
  const batch = { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 5 } };

  it('runs its slots from 0, a few at a time, each once', () => {
    model.setJob('job', batch);
    rounds();
    expect(running().map(({ slot }) => slot)).toEqual([0, 1]);
    expect(running().every(({ desiredState }) => desiredState === 'complete')).toBe(true);
    endAll('complete');
    rounds();
    expect(running().map(({ slot }) => slot)).toEqual([2, 3]);
    endAll('complete');
    rounds();
    endAll('complete');
    rounds();
    expect(completed()).toEqual([0, 1, 2, 3, 4]);
    expect(model.decide('job')).toEqual({ actions: [], more: false });
  });

  it('tries again what failed, also when its condition is any, but not what completed', () => {
    model.setJob('job', { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } }, { Condition: 'any' });
    rounds();
    endAll('failed');
    rounds();
    expect(running().map(({ slot }) => slot)).toEqual([0]);
    endAll('complete');
    rounds();
    expect(
      tasks()
        .map(({ status }) => status.State)
        .sort(),
    ).toEqual(['complete', 'failed']);
  });

  it('gives up a slot that failed too often, and goes on with the others', () => {
    model.setJob('job', batch, { Condition: 'none' });
    rounds();
    endAll('failed');
    rounds();
    expect(running().map(({ slot }) => slot)).toEqual([2, 3]);
    endAll('complete');
    rounds();
    endAll('complete');
    rounds();
    expect(completed()).toEqual([2, 3, 4]);
    expect(running()).toEqual([]);
  });

  it('begins anew with each change, once the old run has stopped', () => {
    model.setJob('job', batch);
    rounds();
    model.setJob('job', batch);
    model.orchestrate();
    expect(tasks().every(({ jobIteration }) => jobIteration === 0)).toBe(true);
    rounds();
    expect(running().map(({ slot, jobIteration }) => [slot, jobIteration])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(tasks()).toHaveLength(2);
  });

  it('leaves a drained node, when it may be begun twice', () => {
    model.setJob('job', { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 3 } });
    rounds();
    model.setNodeSpec('n1', { Availability: 'drain' });
    rounds();
    expect(running()).toHaveLength(3);
    expect(running().some(({ nodeId }) => nodeId === 'n1')).toBe(false);
  });

  it('runs elsewhere what a lost node ran', () => {
    model.setJob('job', { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 3 } });
    rounds();
    model.setNodeUp('n2', false);
    rounds();
    endAll('complete');
    rounds();
    expect(new Set(completed())).toEqual(new Set([0, 1, 2]));
  });
});

describe('runs of a schedule that go on side by side', () => {
  const goesOn = (iteration: number) =>
    ({ kind: 'started', cause: 'request', due: 0, iteration, startedAt: 0 }) as const;
  const beginRuns = (mode: Parameters<ClusterModel['setJob']>[1], ...iterations: readonly number[]): void => {
    if (!model.services.has('job')) model.setJob('job', mode, { Condition: 'none' });
    const service = model.services.get('job');
    if (service === undefined) throw new Error('no job');
    const job = { iteration: Math.max(...iterations), startedAt: model.now };
    model.services.set('job', { ...service, job, schedule: { handledUntil: 0, runs: iterations.map(goesOn) } });
  };
  const places = () =>
    running()
      .map(({ jobIteration, slot }) => `${jobIteration ?? ''}/${slot}`)
      .sort();

  it('have their own tasks for the same slots, and their own limit', () => {
    beginRuns({ ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } }, 0);
    rounds();
    beginRuns({}, 1, 0);
    rounds();
    expect(places()).toEqual(['0/0', '1/0']);
    for (const task of running()) if (task.jobIteration === 0) model.end(task, 'failed');
    rounds();
    expect(places()).toEqual(['0/1', '1/0']);
  });

  it('have one task each on a node, under one number', () => {
    beginRuns({ GlobalJob: {} }, 0);
    rounds();
    beginRuns({}, 1, 0);
    rounds();
    expect(running()).toHaveLength(6);
    const slots = new Map(running().map(({ pinnedTo, slot }) => [pinnedTo, slot]));
    expect(running().every(({ pinnedTo, slot }) => slots.get(pinnedTo) === slot)).toBe(true);
    expect(new Set(slots.values()).size).toBe(3);
  });

  it('lose their tasks when they are over, but for the newest', () => {
    beginRuns({ ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } }, 0);
    rounds();
    beginRuns({}, 1, 0);
    rounds();
    endAll('complete');
    beginRuns({}, 1);
    rounds();
    expect(tasks().map(({ jobIteration }) => jobIteration)).toEqual([1]);
  });
});

describe('a global job', () => {
  it('runs once on each node, also on one that joins later', () => {
    model.setJob('job', { GlobalJob: {} });
    rounds();
    endAll('complete');
    rounds();
    model.addNode('n4');
    rounds();
    expect(running().map(({ nodeId }) => nodeId)).toEqual(['n4']);
    endAll('complete');
    rounds();
    expect(
      tasks()
        .map(({ pinnedTo }) => pinnedTo)
        .sort(),
    ).toEqual(['n1', 'n2', 'n3', 'n4']);
    expect(tasks().every(({ status }) => isTerminal(status.State))).toBe(true);
    model.setJob('job', { GlobalJob: {} });
    rounds();
    expect(running()).toHaveLength(4);
    expect(tasks()).toHaveLength(4);
  });

  it('comes back to a node that was drained before it was done', () => {
    model.setJob('job', { GlobalJob: {} });
    rounds();
    model.setNodeSpec('n1', { Availability: 'drain' });
    rounds();
    expect(
      running()
        .map(({ nodeId }) => nodeId)
        .sort(),
    ).toEqual(['n2', 'n3']);
    endAll('complete');
    model.setNodeSpec('n2', { Availability: 'drain' });
    model.setNodeSpec('n1', { Availability: 'active' });
    rounds();
    expect(running().map(({ nodeId }) => nodeId)).toEqual(['n1']);
    expect(tasks()).toHaveLength(3);
  });
});
