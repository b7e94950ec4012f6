import type { TaskObject } from '../../manager/store/objects.js';
import { decideOnly } from './decide-only.js';
import { differentTasks, identicalTasks, nodesOf } from './swarm-shape.js';
import { withStore } from './with-store.js';

/**
 * Placements a second, with constraints, reservations and two levels of spread: the scheduler's
 * decisions alone, and with the store that they are written to. `SIZES` and `PARTS` choose some;
 * of `ROUNDS` the median counts.
 */

const SIZES = (process.env.SIZES ?? '500,5000,10000').split(',').map(Number);
const PARTS = (process.env.PARTS ?? 'decide,store').split(',');
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const BACKLOGS: readonly { readonly name: string; readonly tasks: () => readonly TaskObject[] }[] = [
  { name: '100,000 identical tasks', tasks: () => identicalTasks(100_000) },
  { name: '10,000 different tasks', tasks: () => differentTasks(10_000) },
];

const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** Microseconds of CPU time a placement, beside those on the first number of nodes. */
class Growth {
  #first: number | undefined;

  text(seconds: readonly number[], tasks: number): string {
    const [least = 0, middle = 0, most = 0] = [0, 0.5, 1].map((part) => at(seconds, part));
    this.#first ??= middle;
    const rates = `${whole(tasks / middle)} a second of CPU time (${whole(tasks / most)} to ${whole(tasks / least)})`;
    return `${rates}, ${((middle / tasks) * 1e6).toFixed(1)} us each, x ${(middle / this.#first).toFixed(2)}`;
  }
}

/** The value so far along the sorted ones. */
const at = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.round(part * (values.length - 1))] ?? 0;

async function repeat<Value>(run: () => Value | Promise<Value>): Promise<readonly Value[]> {
  const values: Value[] = [];
  for (let round = 0; round < ROUNDS; round += 1) values.push(await run());
  return values;
}

// A manager runs for weeks: its code is compiled when a big service comes.
for (let round = 0; round < 3; round += 1) {
  for (const tasks of [differentTasks(5_000), identicalTasks(20_000)]) decideOnly(nodesOf(500), tasks);
}

for (const { name, tasks: make } of BACKLOGS) {
  const tasks = make();
  const decided = new Growth();
  const stored = new Growth();
  for (const size of SIZES) {
    const nodes = nodesOf(size);
    const on = `${name} on ${whole(size)} nodes`;
    if (PARTS.includes('decide')) {
      const seconds = await repeat(() => decideOnly(nodes, tasks));
      console.log(`${on}, decisions: ${decided.text(seconds, tasks.length)}`);
    }
    if (PARTS.includes('store')) {
      const runs = await repeat(() => withStore(nodes, tasks));
      const text = stored.text(
        runs.map(({ cpuSeconds }) => cpuSeconds),
        tasks.length,
      );
      const seconds = at(
        runs.map((run) => run.seconds),
        0.5,
      );
      console.log(`${on}, with the store: ${text}; ${seconds.toFixed(1)} s for all`);
    }
  }
}
