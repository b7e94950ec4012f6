import type { Side } from './side.js';
import { isWait, rowOf, type Row, type Step } from './step.js';

/** A row that did not come out as its table has it. */
export interface Surprise {
  readonly command: string;
  readonly expected: string;
  readonly bale: string;
}

export interface Played {
  readonly surprises: readonly Surprise[];
  /** All that was printed before bale: a session that broke on both sides alike would bring no surprise. */
  readonly printed: string;
}

/** Runs the steps on both sides, row by row at once, and tells what is not as the table has it. */
export async function play(steps: readonly Step[], bale: Side, swarm: Side): Promise<Played> {
  const surprises: Surprise[] = [];
  let printed = '';
  for (const step of steps) {
    if (isWait(step)) {
      await Promise.all([bale.wait(step), swarm.wait(step)]);
      continue;
    }
    const row = rowOf(step);
    const command = `${row.on ?? 'h1'}> docker ${row.run}`;
    try {
      const [ours, theirs] = await Promise.all([
        bale.shown(row),
        row.refused === undefined ? swarm.shown(row) : undefined,
      ]);
      printed += ours;
      const expected = expectation(row, ours, theirs);
      if (expected !== undefined) surprises.push({ command, expected, bale: ours });
    } catch (error) {
      surprises.push({ command, expected: 'to end', bale: String(error).slice(0, 2_000) });
    }
  }
  return { surprises, printed };
}

/** What a row should have come out as, if it did not. `theirs`: absent for a row that bale refuses. */
function expectation({ refused, differs }: Row, ours: string, theirs = ''): string | undefined {
  if (refused !== undefined) {
    const isRefused = /^exit code 1\n[^]*Error response from daemon: /.test(ours) && ours.includes(refused);
    return isRefused ? undefined : `refused: ${refused}`;
  }
  if (differs === undefined) return ours === theirs ? undefined : theirs;
  // A difference that is gone is a surprise too: its row and its line in the docs are to go.
  if (ours !== theirs && differs.bale.test(ours)) return undefined;
  return `${String(differs.bale)}, other than Swarm's ${theirs}`;
}
