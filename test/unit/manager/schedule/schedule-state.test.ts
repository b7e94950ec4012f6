import { describe, expect, test } from 'vitest';
import { firstRun, runsAfterChange } from '../../../../manager/schedule/schedule-state.js';
import type { ServiceObject } from '../../../../manager/store/objects.js';
import { storedService } from '../../../support/stored-objects.js';

const MODE = { ReplicatedJob: { TotalCompletions: 1 } };
const specOf = (labels: Record<string, string>) => storedService('job', { mode: MODE, labels }).spec;
const jobOf = (labels: Record<string, string>, fields: Partial<ServiceObject> = {}): ServiceObject => ({
  ...storedService('job', { mode: MODE, labels }),
  ...fields,
});

describe('a job that is made', () => {
  test('runs at once, without a schedule', () => {
    expect(firstRun(specOf({}), 5)).toEqual({ job: { iteration: 0, startedAt: 5 } });
  });

  test('waits for what it depends on with each run', () => {
    expect(firstRun(specOf({ 'bale.depends': 'db,cache' }), 5)).toMatchObject({
      awaiting: { reason: 'waits for db, cache' },
    });
    expect(firstRun(specOf({ 'bale.depends': 'db', 'bale.schedule': '@daily' }), 5).awaiting).toBeUndefined();
  });

  test('a service of another mode has no run', () => {
    expect(firstRun(storedService('web').spec, 5)).toEqual({});
  });
});

describe('a change of a job', () => {
  const job = { iteration: 3, startedAt: 1 };

  test('is another run of it, without a schedule', () => {
    expect(runsAfterChange(jobOf({}, { job }), specOf({}), 9)).toEqual({ job: { iteration: 4, startedAt: 9 } });
  });

  test('begins no run when it has a schedule, nor when it gets or loses one', () => {
    const daily = { 'bale.schedule': '@daily' };
    const schedule = { handledUntil: 7, runs: [] };
    expect(runsAfterChange(jobOf(daily, { job, schedule }), specOf({ ...daily, a: 'b' }), 9)).toEqual({
      job,
      schedule,
    });
    expect(runsAfterChange(jobOf({}, { job }), specOf(daily), 9)).toEqual({
      job,
      schedule: {
        handledUntil: 9,
        runs: [{ kind: 'started', cause: 'request', due: 1, iteration: 3, startedAt: 1 }],
      },
    });
    expect(runsAfterChange(jobOf(daily, { job, schedule }), specOf({}), 9)).toEqual({ job });
  });

  test('of the pattern or the zone makes due times count from now on', () => {
    const before = jobOf({ 'bale.schedule': '@daily' }, { job, schedule: { handledUntil: 7, runs: [] } });
    const hourly = runsAfterChange(before, specOf({ 'bale.schedule': '@hourly' }), 9);
    expect(hourly.schedule?.handledUntil).toBe(9);
    const zone = { 'bale.schedule': '@daily', 'bale.schedule.timezone': 'Asia/Tokyo' };
    expect(runsAfterChange(before, specOf(zone), 9).schedule?.handledUntil).toBe(9);
  });
});

describe('a change of a service that waits', () => {
  test('waits for what it names now, and for nothing when it names nothing', () => {
    const waiting = { ...storedService('web', { labels: { 'bale.depends': 'db' } }), awaiting: { reason: 'x' } };
    expect(runsAfterChange(waiting, storedService('web', { labels: { 'bale.depends': 'cache' } }).spec, 9)).toEqual({
      awaiting: { reason: 'waits for cache' },
    });
    expect(runsAfterChange(waiting, storedService('web').spec, 9)).toEqual({});
  });

  test('one that was started does not begin to wait', () => {
    expect(
      runsAfterChange(storedService('web'), storedService('web', { labels: { 'bale.depends': 'db' } }).spec, 9),
    ).toEqual({});
  });
});
