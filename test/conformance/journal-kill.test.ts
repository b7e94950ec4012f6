import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../core/logger.js';
import { openLevelJournal } from '../../manager/store/level-journal.js';
import { openStore } from '../../manager/store/store.js';
import { compile, type Compiled } from '../support/compile.js';
import { FakeClock } from '../support/fake-clock.js';

const ROUNDS = 100;
/** Directories written to side by side; each sees its share of the rounds one after another. */
const LANES = 4;

let writer: Compiled;
let scratch: string;
beforeAll(async () => {
  writer = await compile('test/conformance/journal-kill-writer.ts');
  scratch = await mkdtemp(join(tmpdir(), 'bale-kill-'));
});
afterAll(async () => {
  await writer.dispose();
  await rm(scratch, { recursive: true, force: true });
});

interface Acknowledged {
  /** The last number each writer was told is durable. */
  readonly numbers: Map<string, number>;
  index: number;
}

/** Lets the writer run and kills it at a random moment: while it opens the journal, or while it writes. */
async function writeUntilKilled(directory: string, acknowledged: Acknowledged): Promise<void> {
  const child = spawn(process.execPath, [writer.entry, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const drained = once(lines, 'close');
  const kill = (withinMs: number): void => {
    setTimeout(() => child.kill('SIGKILL'), Math.random() * withinMs);
  };
  let started = Math.random() < 0.2;
  if (started) kill(200);
  lines.on('line', (line) => {
    if (!started) kill(50);
    started = true;
    const [name = '', number, index] = line.split(' ');
    acknowledged.numbers.set(name, Number(number));
    acknowledged.index = Math.max(acknowledged.index, Number(index));
  });
  const [code, signal] = (await exited) as [number | null, string | null];
  await drained;
  expect([code, signal]).toEqual([null, 'SIGKILL']);
}

async function check(directory: string, acknowledged: Acknowledged): Promise<void> {
  const journal = await openLevelJournal(directory);
  const store = await openStore({ journal, clock: new FakeClock(), logger: createLogger('silent') });
  const number = (id: string): number => Number(store.view.get('node', id)?.status.message ?? 0);
  expect(store.view.index).toBeGreaterThanOrEqual(acknowledged.index);
  const writers = new Set(store.view.all('node').map(({ id }) => id.replace(/-.*/, '')));
  for (const name of acknowledged.numbers.keys()) writers.add(name);
  for (const name of writers) {
    const left = number(`${name}-left`);
    expect(number(`${name}-right`)).toBe(left);
    expect(number(`${name}-odd`)).toBe(left % 2 === 1 ? left : 0);
    expect(left).toBeGreaterThanOrEqual(acknowledged.numbers.get(name) ?? 0);
  }
  await store.close();
}

test(`after ${ROUNDS} kills at any moment every acknowledged write is there, and no half transaction`, async () => {
  const lane = async (_: unknown, number: number): Promise<number> => {
    const directory = join(scratch, `lane-${number}`);
    const acknowledged: Acknowledged = { numbers: new Map(), index: 0 };
    for (let round = 0; round < ROUNDS / LANES; round++) {
      await writeUntilKilled(directory, acknowledged);
      await check(directory, acknowledged);
    }
    return [...acknowledged.numbers.values()].reduce((sum, count) => sum + count, 0);
  };
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  const written = lanes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  // Else the kills proved nothing.
  for (const count of written) expect(count).toBeGreaterThan(ROUNDS / LANES);
}, 300_000);
