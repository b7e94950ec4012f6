import { describe, expect, test } from 'vitest';
import { storedNode } from '../../../support/stored-objects.js';
import { ScheduledModel } from './scheduled-model.js';

const MINUTE = 60_000;
const labels = (concurrency: string) => ({ 'bale.schedule.concurrency': concurrency });

describe('a scheduled job', () => {
  test('does not run when it is made, but at each time that it is due', () => {
    const model = new ScheduledModel({});
    expect(model.service.job).toEqual({ iteration: 0 });
    expect(model.look()).toEqual([]);
    expect(model.wakeAt).toBe(model.now + MINUTE);
    expect(model.after(60)).toEqual([{ kind: 'start', cause: 'schedule', due: model.now, reason: 'it is due' }]);
    expect(model.service.job).toEqual({ iteration: 0, startedAt: model.now });
    model.task(0, 'complete');
    expect(model.after(1)).toEqual([
      { kind: 'end', iteration: 0, outcome: 'succeeded', reason: '1 of 1 tasks completed' },
    ]);
    model.after(59);
    expect(model.service.job?.iteration).toBe(1);
  });

  test('is not run twice for one due time, however often it is looked at', () => {
    const model = new ScheduledModel(labels('allow'));
    model.after(60);
    expect(model.look()).toEqual([]);
    model.now -= 30_000;
    expect(model.look()).toEqual([]);
    expect(model.after(30)).toEqual([]);
    expect(model.started).toHaveLength(1);
  });

  test('makes up for one run of several that were missed, by the last of them', () => {
    const model = new ScheduledModel({});
    expect(model.after(10 * 60 + 30)).toMatchObject([{ kind: 'start', due: model.now - 30_000 }]);
    expect(model.started).toHaveLength(1);
    expect(model.wakeAt).toBe(model.now + 30_000);
  });

  test('makes up for none when it shall not', () => {
    const model = new ScheduledModel({ 'bale.schedule.catch-up': 'false' });
    expect(model.after(10 * 60 + 30)).toEqual([
      { kind: 'skip', due: model.now - 30_000, reason: 'it was missed: no manager was there' },
    ]);
    expect(model.after(35)).toMatchObject([{ kind: 'start' }]);
  });

  test('notes how a run failed', () => {
    const model = new ScheduledModel({});
    model.after(60);
    model.task(0, 'failed');
    expect(model.after(1)).toMatchObject([
      { kind: 'end', outcome: 'failed', reason: '1 of 1 tasks did not complete: exit 1' },
    ]);
  });

  test('a task that failed and was not judged yet is no end', () => {
    const model = new ScheduledModel({});
    model.after(60);
    model.task(0, 'failed', { desiredState: 'complete' });
    expect(model.after(1)).toEqual([]);
  });

  test('keeps the last runs, and those that go on whatever their number', () => {
    const model = new ScheduledModel({ ...labels('allow'), 'bale.schedule.history': '2' });
    for (let run = 0; run < 5; run += 1) {
      model.after(60);
      if (run > 0) model.task(run, 'complete');
      model.look();
    }
    expect(model.started.map(({ iteration }) => iteration)).toEqual([4, 3, 0]);
  });
});

describe('a run that is due while the last one goes on', () => {
  test('is skipped under forbid, and the skips of one run are one entry', () => {
    const model = new ScheduledModel(labels('forbid'));
    model.after(60);
    const begun = new Date(model.now).toISOString();
    model.task(0, 'running');
    expect(model.after(60)).toEqual([
      { kind: 'skip', due: model.now, reason: `run 0, begun at ${begun}, still goes on` },
    ]);
    model.after(60);
    expect(model.runs).toMatchObject([
      { kind: 'skipped', times: 2, due: model.now - MINUTE, last: model.now },
      { kind: 'started', iteration: 0 },
    ]);
    model.task(0, 'complete');
    expect(model.after(60)).toMatchObject([
      { kind: 'end', iteration: 0, outcome: 'succeeded' },
      { kind: 'start', due: model.now },
    ]);
  });

  test('takes its place under replace', () => {
    const model = new ScheduledModel(labels('replace'));
    model.after(60);
    model.task(0, 'running');
    expect(model.after(60)).toMatchObject([
      { kind: 'end', iteration: 0, outcome: 'replaced' },
      { kind: 'start', due: model.now },
    ]);
  });

  test('begins beside it under allow, but not without end', () => {
    const model = new ScheduledModel(labels('allow'));
    for (let run = 0; run < 25; run += 1) {
      model.after(60);
      model.task(run, 'running');
    }
    expect(model.started).toHaveLength(20);
    expect(model.runs[0]).toMatchObject({ kind: 'skipped', times: 5, reason: '20 runs still go on' });
  });

  test('is not held up by a run that waits for a lost node only', () => {
    const model = new ScheduledModel({}, { GlobalJob: {} });
    model.after(60);
    model.task(0, 'running', { pinnedTo: 'n1' });
    model.nodes = [storedNode('n1', { status: { state: 'down', message: '', addr: '' } }), storedNode('n2')];
    expect(model.after(1)).toEqual([]);
    model.tasks.push({ ...(model.tasks[0] ?? fail()), id: 't0b', slot: 2, pinnedTo: 'n2', nodeId: 'n2' });
    expect(model.after(59)).toMatchObject([{ kind: 'skip' }]);
    model.tasks = model.tasks.map((task) =>
      task.pinnedTo === 'n2' ? { ...task, status: { ...task.status, State: 'complete' } } : task,
    );
    expect(model.after(1)).toEqual([]);
    expect(model.after(59)).toMatchObject([
      { kind: 'end', outcome: 'failed', reason: 'node n1 is down' },
      { kind: 'start' },
    ]);
  });
});

describe('a run that somebody asks for', () => {
  test('begins at once, and leaves the due times as they are', () => {
    const model = new ScheduledModel({});
    model.after(10);
    expect(model.request()).toMatchObject({ kind: 'run', actions: [{ kind: 'start', cause: 'request' }] });
    expect(model.started).toMatchObject([{ cause: 'request', due: model.now, iteration: 0 }]);
    model.task(0, 'complete');
    expect(model.after(50)).toMatchObject([{ kind: 'end' }, { kind: 'start', cause: 'schedule', due: model.now }]);
  });

  test('is refused under forbid while another goes on', () => {
    const model = new ScheduledModel({});
    model.after(60);
    model.task(0, 'running');
    expect(model.request()).toMatchObject({
      kind: 'blocked',
      reason: expect.stringMatching(/^run 0, .* still goes on$/) as string,
    });
    expect(model.started).toHaveLength(1);
  });

  test('replaces it under replace', () => {
    const model = new ScheduledModel(labels('replace'));
    model.after(60);
    model.task(0, 'running');
    expect(model.request()).toMatchObject({
      kind: 'run',
      actions: [{ kind: 'end', outcome: 'replaced' }, { kind: 'start' }],
    });
  });
});

function fail(): never {
  throw new Error('no task');
}
