import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hosts, startHosts } from '../support/hosts.js';
import { RULES } from '../support/rules/all-rules.js';
import { FILLINGS } from '../support/rules/fillings.js';
import { NO_SWARM_RULES } from '../support/rules/no-swarm-rules.js';
import { READS } from '../support/rules/reads.js';
import { withMatchers } from '../support/rules/rule.js';
import { type Ask, Scene } from '../support/rules/scene.js';

import { socketRequest } from '../support/socket-request.js';

/** The table of rules against a real Docker Swarm: what it says of the Engine is what an Engine does. */
let hosts: Hosts;
let scene: Scene;
const withoutSwarm: unknown[] = [];
beforeAll(async () => {
  hosts = await startHosts(1, { daemons: false });
  const { engineSocket, address } = hosts.host(1);
  const ask: Ask = (method, path, text) => socketRequest(engineSocket, path, { method, body: text });
  const bare = Scene.bare(ask);
  for (const rule of NO_SWARM_RULES) withoutSwarm.push([rule.rule, await bare.attempt(rule)]);
  const body = { ListenAddr: `${address}:2377`, AdvertiseAddr: address };
  const made = await socketRequest(engineSocket, '/v1.41/swarm/init', { method: 'POST', body });
  if (made.status !== 200) throw new Error(made.text);
  scene = await Scene.make(ask);
});
afterAll(() => hosts[Symbol.asyncDispose]());

test('without a swarm the Engine says so', () => {
  expect(withoutSwarm).toEqual(NO_SWARM_RULES.map(({ rule, engine }) => [rule, engine]));
});

describe('the Engine refuses what breaks a rule', () => {
  test.each(RULES.map((rule) => [rule.section, rule.rule, rule] as const))('%s %s', async (_section, _name, rule) => {
    const { status, message } = rule.engine;
    expect(await scene.attempt(rule)).toEqual({
      status,
      message: typeof message === 'string' ? await scene.resolve(message) : (expect.stringMatching(message) as string),
    });
  });
});

describe('the Engine fills in what was not sent', () => {
  test.each(FILLINGS.map((rule) => [rule.section, rule.rule, rule] as const))(
    '%s %s',
    async (_section, _name, rule) => {
      expect(await scene.shown(rule.body, '?insertDefaults=true')).toMatchObject(withMatchers(rule.shows));
    },
  );
});

describe('an Engine finds', () => {
  test.each(READS.map((read) => [read.request, read] as const))('%s', async (_name, { request, engine }) => {
    const expected = engine;
    expect(await scene.read(request, expected)).toEqual(withMatchers({ ...expected }));
  });
});
