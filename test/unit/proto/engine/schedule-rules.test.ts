import { describe, expect, test } from 'vitest';
import { decodeServiceSpec } from '../../../../proto/engine/decode-service-spec.js';
import { dependsOf } from '../../../../proto/engine/depends-label.js';
import { scheduleOf } from '../../../../proto/engine/schedule-labels.js';
import { caught } from '../../../support/caught.js';
import { serviceBody } from '../../../support/service-body.js';

const job = (labels: Record<string, string>, mode: Record<string, unknown> = { ReplicatedJob: {} }) =>
  serviceBody({ Mode: { Replicated: undefined, ...mode }, Labels: labels });
const scheduled = (labels: Record<string, string>) => job({ 'bale.schedule': '@hourly', ...labels });

const PATTERN =
  'must be a cron pattern of five fields, or six with seconds first, for example "*/5 * * * *" or "@daily"';

describe('labels of a schedule', () => {
  test.each([
    [`label "bale.schedule" ${PATTERN}, got "every day": `, job({ 'bale.schedule': 'every day' })],
    [`label "bale.schedule" ${PATTERN}, got ""`, job({ 'bale.schedule': '' })],
    [
      `label "bale.schedule" ${PATTERN}, got "61 * * * *": Invalid value for minute: 61`,
      job({ 'bale.schedule': '61 * * * *' }),
    ],
    [
      `label "bale.schedule" ${PATTERN}, got "2026-01-01T00:00:00": a date`,
      job({ 'bale.schedule': '2026-01-01T00:00:00' }),
    ],
    [`got "0 0 30 2 *": this one never comes due`, job({ 'bale.schedule': '0 0 30 2 *' })],
    [`label "bale.schedule" ${PATTERN}, got "1111`, job({ 'bale.schedule': '1'.repeat(5_000) })],
    [
      'label "bale.schedule" is for jobs: the mode of the service must be replicated-job or global-job',
      serviceBody({ Labels: { 'bale.schedule': '@daily' } }),
    ],
    ['label "bale.schedule.concurrency" is for jobs', job({ 'bale.schedule.concurrency': 'forbid' }, { Global: {} })],
    [
      'label "bale.schedule.timezone" says how a schedule is kept, and the service has no label "bale.schedule"',
      job({ 'bale.schedule.timezone': 'UTC' }),
    ],
    [
      'label "bale.schedule.timezone" must be the name of a time zone, for example Europe/Berlin, got "Mars/Olympus"',
      scheduled({ 'bale.schedule.timezone': 'Mars/Olympus' }),
    ],
    [
      'label "bale.schedule.concurrency" must be one of forbid, replace, allow, got "queue"',
      scheduled({ 'bale.schedule.concurrency': 'queue' }),
    ],
    [
      'label "bale.schedule.history" must be a whole number from 1 to 100, for example 10, got "0"',
      scheduled({ 'bale.schedule.history': '0' }),
    ],
    [
      'label "bale.schedule.catch-up" must be one of true, false, got "no"',
      scheduled({ 'bale.schedule.catch-up': 'no' }),
    ],
  ])('%s', (words, body) => {
    const error = caught(() => decodeServiceSpec(body));
    expect(error).toMatchObject({ kind: 'invalid', code: 'BALE_SPEC_INVALID' });
    expect(error?.message).toContain(words);
    expect(error?.message.length).toBeLessThan(1_000);
  });

  test('mean forbid, UTC, ten runs and catching up unless they say otherwise', () => {
    const { Labels } = decodeServiceSpec(scheduled({}));
    expect(scheduleOf(Labels)).toEqual({
      pattern: '@hourly',
      timezone: 'UTC',
      concurrency: 'forbid',
      history: 10,
      catchUp: true,
    });
    expect(scheduleOf({})).toBeUndefined();
  });

  test('are read whole, for both modes of jobs', () => {
    const labels = {
      'bale.schedule': '*/10 * * * * *',
      'bale.schedule.timezone': 'Europe/Berlin',
      'bale.schedule.concurrency': 'allow',
      'bale.schedule.history': '100',
      'bale.schedule.catch-up': 'false',
    };
    expect(scheduleOf(decodeServiceSpec(job(labels, { GlobalJob: {} })).Labels)).toEqual({
      pattern: '*/10 * * * * *',
      timezone: 'Europe/Berlin',
      concurrency: 'allow',
      history: 100,
      catchUp: false,
    });
  });
});

describe('the label bale.depends', () => {
  test.each(['', ',', 'db,', 'a b', 'db;cache', '-db'])('%j is refused', (value) => {
    expect(caught(() => decodeServiceSpec(serviceBody({ Labels: { 'bale.depends': value } })))).toMatchObject({
      code: 'BALE_SPEC_INVALID',
      message: expect.stringContaining(
        `separated by commas, for example db,cache, got ${JSON.stringify(value)}`,
      ) as string,
    });
  });

  test('names no service twice', () => {
    expect(caught(() => decodeServiceSpec(serviceBody({ Labels: { 'bale.depends': 'db,cache,db' } })))).toMatchObject({
      message: expect.stringContaining('names the service db twice') as string,
    });
  });

  test('is a list of names, blanks around them left out', () => {
    expect(dependsOf(decodeServiceSpec(serviceBody({ Labels: { 'bale.depends': 'db, cache' } })).Labels)).toEqual([
      'db',
      'cache',
    ]);
    expect(dependsOf({})).toEqual([]);
  });
});
