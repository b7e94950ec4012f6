import { normal } from './normal.js';

/** A step of an SDK's session and what came of it: what was returned, or how it was refused. */
export type Outcome = readonly [step: string, outcome: unknown];

/**
 * The steps that did not come out alike, after normalisation. `differs`: steps that are to come out otherwise, and
 * as what; those that do not are told too.
 */
export function differences(
  bale: readonly Outcome[],
  swarm: readonly Outcome[],
  differs: Readonly<Record<string, RegExp>>,
): readonly { readonly step: string; readonly bale: string; readonly swarm: string }[] {
  const steps = [...new Set([...swarm, ...bale].map(([step]) => step))];
  const texts = (outcomes: readonly Outcome[]): ReadonlyMap<string, string> =>
    new Map(outcomes.map(([step, outcome]) => [step, normal(JSON.stringify(sorted(outcome)))]));
  const [ours, theirs] = [texts(bale), texts(swarm)];
  return steps
    .map((step) => ({ step, bale: ours.get(step) ?? 'no such step', swarm: theirs.get(step) ?? 'no such step' }))
    .filter((row) => {
      const expected = differs[row.step];
      const same = row.bale === row.swarm;
      return expected === undefined ? !same : same || !expected.test(row.bale);
    });
}

/** With the keys in order: Go sorts those of maps, and not those of documents. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]));
}
