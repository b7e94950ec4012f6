import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { DaemonApi } from '../support/daemon-api.js';
import { RULES } from '../support/rules/all-rules.js';
import { FILLINGS } from '../support/rules/fillings.js';
import { type Found, type Read, READS } from '../support/rules/reads.js';
import { type Outcome, withMatchers } from '../support/rules/rule.js';
import { Scene } from '../support/rules/scene.js';

/** Every rule that the Engine's API has for its objects, and what bale answers. */
let api: DaemonApi;
let scene: Scene;
let compatibility: string;
/** All that there is: no case leaves anything behind. */
let before: unknown;
beforeAll(async () => {
  api = await DaemonApi.start();
  const headers = { 'Content-Type': 'application/json' };
  scene = await Scene.make((method, path, body) => api.ask(method, path, body === undefined ? {} : { headers, body }));
  before = await api.written();
  compatibility = (await readFile('docs/compatibility.md', 'utf8')).replaceAll(/\s+/g, ' ');
});
afterAll(() => api.end());

describe('a request that breaks a rule is answered as the Engine answers it', () => {
  test.each(RULES.map((rule) => [rule.section, rule.rule, rule] as const))('%s %s', async (_section, _name, rule) => {
    const { status, message } = rule.bale ?? rule.engine;
    expect(await scene.attempt(rule)).toEqual({
      status,
      message: typeof message === 'string' ? await scene.resolve(message) : (expect.stringMatching(message) as string),
    });
    expect(await api.written()).toEqual(before);
  });
});

describe('what was not sent is filled in as the Engine fills it', () => {
  test.each(FILLINGS.map((rule) => [rule.section, rule.rule, rule] as const))(
    '%s %s',
    async (_section, _name, rule) => {
      const shows = rule.bale?.shows ?? rule.shows;
      expect(await scene.shown(rule.body, '?insertDefaults=true')).toMatchObject(withMatchers(shows));
    },
  );
});

describe('a read finds what an Engine finds', () => {
  test.each(READS.map((read) => [read.request, read] as const))('%s', async (_name, { request, engine, bale }) => {
    const expected = wanted(engine, bale);
    expect(await scene.read(request, expected)).toEqual(withMatchers({ ...expected }));
  });
});

/** Without the reason, which is no part of an answer. */
function wanted(engine: Read['engine'], bale: Read['bale']): Found | Outcome {
  if (bale === undefined) return engine;
  const { because: _, ...answer } = bale;
  return answer;
}

test('each difference to the Engine stands in docs/compatibility.md', () => {
  const reasons = [...RULES, ...FILLINGS, ...READS].flatMap(({ bale }) => (bale === undefined ? [] : [bale.because]));
  expect(reasons.filter((reason) => !compatibility.includes(reason))).toEqual([]);
});

test('1.7 a worker that is ready leaves by force alone, and is not promoted', async () => {
  const { ID, Version } = await api.join('w');
  expect(await scene.attempt({ request: `DELETE /nodes/${ID}` })).toEqual({
    status: 400,
    message: `rpc error: code = FailedPrecondition desc = node ${ID} is not down and can't be removed`,
  });
  const body = { Role: 'manager', Availability: 'active' };
  expect(await scene.attempt({ request: `POST /nodes/${ID}/update?version=${Version.Index}`, body })).toEqual({
    status: 501,
    message: 'Role is not implemented yet: a node keeps the role it joined with',
  });
  expect(await scene.attempt({ request: `DELETE /nodes/${ID}?force=1` })).toEqual({ status: 200, message: '' });
  expect(await scene.attempt({ request: `GET /nodes/${ID}` })).toEqual({
    status: 404,
    message: `node ${ID} not found`,
  });
});

test('1.2 the status of services is in lists alone, and only when it is asked for', async () => {
  const statuses = async (path: string): Promise<unknown[]> =>
    [await api.get<ServiceDocument | readonly ServiceDocument[]>(path)]
      .flat()
      .map((service: ServiceDocument) => service.ServiceStatus);
  const filters = 'filters={"name":["web"]}';
  const counted = { RunningTasks: 0, DesiredTasks: 0, CompletedTasks: 0 };
  expect(await statuses(`/services?${encodeURI(filters)}&status=true`)).toEqual([counted]);
  for (const query of [`${encodeURI(filters)}&status=false`, encodeURI(filters)]) {
    expect(await statuses(`/services?${query}`)).toEqual([undefined]);
  }
  expect(await statuses('/services/web?status=true')).toEqual([undefined]);
});

test('no rule stands there twice', () => {
  const names = [...RULES, ...FILLINGS].map(({ section, rule }) => `${section} ${rule}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
