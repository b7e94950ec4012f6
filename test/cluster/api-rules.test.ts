import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

test('no rule stands there twice', () => {
  const names = [...RULES, ...FILLINGS].map(({ section, rule }) => `${section} ${rule}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
