import type { Side } from './side.js';
import { isWait, rowOf, type Row, type Step } from './step.js';

/** A row that did not come out as its table has it. */
export interface Surprise {
  readonly command: string;
  readonly expected: string;
  readonly bale: string;
}

/** Runs the steps on both sides, row by row at once, and tells what is not as the table has it. */
export async function play(steps: readonly Step[], bale: Side, swarm: Side): Promise<readonly Surprise[]> {
  const surprises: Surprise[] = [];
  for (const step of steps) {
    if (isWait(step)) {
      await Promise.all([bale.wait(step), swarm.wait(step)]);
      continue;
    }
    const row = rowOf(step);
    const surprise = await playRow(row, bale, swarm).catch((error: unknown) => ({
      command: row.run,
      expected: 'to end',
      bale: String(error).slice(0, 2_000),
    }));
    if (surprise !== undefined) surprises.push(surprise);
  }
  return surprises;
}

async function playRow(row: Row, bale: Side, swarm: Side): Promise<Surprise | undefined> {
  const command = `${row.on ?? 'h1'}> docker ${row.run}`;
  if (row.refused !== undefined) {
    const shown = await bale.shown(row);
    const refused = shown.includes('Error response from daemon: ') && shown.includes(row.refused);
    return refused && shown.startsWith('exit code 1\n')
      ? undefined
      : { command, expected: `refused: ${row.refused}`, bale: shown };
  }
  const [ours, theirs] = await Promise.all([bale.shown(row), swarm.shown(row)]);
  const { differs } = row;
  if (differs === undefined) return ours === theirs ? undefined : { command, expected: theirs, bale: ours };
  // A difference that is gone is a surprise too: its row and its line in the docs are to go.
  if (ours !== theirs && differs.bale.test(ours)) return undefined;
  return { command, expected: `${String(differs.bale)}, other than Swarm's ${theirs}`, bale: ours };
}
