import { afterAll, beforeAll, expect, test } from 'vitest';
import { byObject, EventLog, missing } from '../support/docker-session/event-log.js';
import { EVENT_ROWS, type Relabel } from '../support/docker-session/event-rows.js';
import type { Side } from '../support/docker-session/side.js';
import { startSides, type Sides } from '../support/docker-session/sides.js';
import { isWait, rowOf, type Step } from '../support/docker-session/step.js';
import { socketDocument } from '../support/socket-request.js';
import { TEST_IMAGE } from '../support/test-image.js';

let sides: Sides;
beforeAll(async () => {
  sides = await startSides();
  for (const host of sides.hosts.all) await host.docker('tag', TEST_IMAGE, 'bale-test:2');
});
afterAll(() => sides[Symbol.asyncDispose]());

interface Labelled {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: object;
}

async function relabel(side: Side, { relabel: noun, of }: Relabel): Promise<void> {
  const { socketPath } = side.docker('h1');
  const { ID, Version, Spec } = await socketDocument<Labelled>(socketPath, `/${noun}/${of}`);
  const body = { ...Spec, Labels: { a: 'b' } };
  await socketDocument(socketPath, `/${noun}/${ID}/update?version=${Version.Index}`, { method: 'POST', body });
}

async function play(side: Side, step: Step | Relabel): Promise<void> {
  if (typeof step === 'object' && 'relabel' in step) return relabel(side, step);
  if (isWait(step)) return side.wait(step);
  const shown = await side.shown(rowOf(step));
  if (!shown.startsWith('exit code 0')) throw new Error(`${side.name}: docker ${rowOf(step).run}: ${shown}`);
}

/** What the changes of the session are told as. */
async function told(side: Side): Promise<Readonly<Record<string, readonly string[]>>> {
  await play(side, 'swarm init --advertise-addr {address} --listen-addr {own}');
  await using log = await EventLog.follow(side.docker('h1'));
  for (const step of EVENT_ROWS) await play(side, step);
  return byObject(await log.end());
}

test('docker events tell of bale what they tell of a Docker Swarm of the same Engines, but for internal writes', async () => {
  const [bale, swarm] = await Promise.all([told(sides.bale), told(sides.swarm)]);
  expect(Object.keys(bale).sort()).toEqual(Object.keys(swarm).sort());
  expect(Object.keys(bale).length).toBeGreaterThan(7);
  expect(missing(bale, swarm)).toEqual([]);
}, 600_000);
