import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROWS, SESSION } from '../support/docker-session/all-rows.js';
import { verbsOf, withoutRow } from '../support/docker-session/flags.js';
import { play } from '../support/docker-session/play.js';
import { REASONS } from '../support/docker-session/reasons.js';
import { startSides, type Sides } from '../support/docker-session/sides.js';

let sides: Sides;
beforeAll(async () => {
  sides = await startSides();
});
afterAll(() => sides[Symbol.asyncDispose]());

test('each verb and flag of the docker CLI for swarms has a row', async () => {
  const verbs = await verbsOf(sides.docker);
  expect(verbs.length).toBeGreaterThan(30);
  expect(withoutRow(verbs, ROWS)).toEqual([]);
});

test('the docker CLI prints before bale what it prints before a Docker Swarm of the same Engines', async () => {
  const { surprises, printed } = await play(SESSION, sides.bale, sides.swarm);
  expect(surprises).toEqual([]);
  expect(printed).toContain('exit code 0\nThis node joined a swarm as a worker.');
  expect(printed).toMatch(/overall progress: 3 out of 3 tasks\nverify: Service web converged/);
  expect(printed).toMatch(/<ID12> +web +replicated +2\/2 +bale-test:1 +\*:8080->80\/tcp/);
  expect(printed).toMatch(/talk\.1\.<ID12>@h2 +\| one/);
}, 1_200_000);

test('each reason for a difference stands in the docs', async () => {
  const text = await readFile('docs/compatibility.md', 'utf8');
  expect(Object.values(REASONS).filter((reason) => !text.includes(reason))).toEqual([]);
});
