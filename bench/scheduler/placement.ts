import type { TaskObject } from '../../manager/store/objects.js';
import { decideOnly } from './decide-only.js';
import { differentTasks, identicalTasks, nodesOf } from './swarm-shape.js';
import { withStore } from './with-store.js';

/**
 * Placements a second, with constraints, reservations and two levels of spread: the scheduler's
 * decisions alone, and with the store that they are written to. `SIZES` and `PARTS` choose some.
 */

const SIZES = (process.env.SIZES ?? '500,5000,10000').split(',').map(Number);
const PARTS = (process.env.PARTS ?? 'decide,store').split(',');
const ROUNDS: readonly { readonly name: string; readonly tasks: () => readonly TaskObject[] }[] = [
  { name: '100,000 identical tasks', tasks: () => identicalTasks(100_000) },
  { name: '10,000 different tasks', tasks: () => differentTasks(10_000) },
];

const number = (value: number): string => Math.round(value).toLocaleString('en');

/** The first of a column is what the others have grown from. */
class Growth {
  #first: number | undefined;

  text(micros: number): string {
    this.#first ??= micros;
    return `${micros.toFixed(1)} us each (x ${(micros / this.#first).toFixed(2)})`;
  }
}

for (const tasks of [differentTasks(2_000), identicalTasks(10_000)]) decideOnly(nodesOf(100), tasks);

for (const { name, tasks: make } of ROUNDS) {
  const tasks = make();
  const decided = new Growth();
  const stored = new Growth();
  for (const size of SIZES) {
    const nodes = nodesOf(size);
    const on = `${name} on ${number(size)} nodes`;
    if (PARTS.includes('decide')) {
      const seconds = decideOnly(nodes, tasks);
      const each = decided.text((seconds / tasks.length) * 1e6);
      console.log(`${on}, decisions: ${number(tasks.length / seconds)} a second of CPU time, ${each}`);
    }
    if (PARTS.includes('store')) {
      const { cpuSeconds, seconds } = await withStore(nodes, tasks);
      const each = stored.text((cpuSeconds / tasks.length) * 1e6);
      const rates = `${number(tasks.length / cpuSeconds)} a second of CPU time, ${number(tasks.length / seconds)} a second`;
      console.log(`${on}, with the store: ${rates}, ${each}`);
    }
  }
}
