import type { ScheduledRunDocument } from '../../proto/engine/service-document.js';
import { jobProgress, type JobLook } from './job-progress.js';
import type { ProgressLine, ProgressOutcome } from './service-progress.js';

export interface RunLook extends JobLook {
  readonly iteration: number;
  /** The runs of its schedule; absent: the job has none. */
  readonly runs: readonly ScheduledRunDocument[] | undefined;
}

/**
 * What one look at a run of a job shows, and whether there is more to come. Of a scheduled job the
 * daemon says how it ended: another run may have begun meanwhile. Pure.
 */
export function runProgress(look: RunLook): {
  readonly lines: readonly ProgressLine[];
  readonly outcome: ProgressOutcome;
} {
  const tasks = look.tasks.filter(({ JobIteration }) => JobIteration?.Index === look.iteration);
  const seen = jobProgress({ ...look, tasks });
  if (look.runs === undefined) return seen;
  const run = look.runs.find(({ iteration }) => iteration === look.iteration);
  const lines = seen.lines.filter(({ key }) => key !== 'end');
  if (run?.result === 'running') return { lines, outcome: { kind: 'going' } };
  if (run?.result === 'succeeded') {
    return { lines: [{ key: 'end', text: `job complete: ${run.reason ?? ''}` }], outcome: { kind: 'done' } };
  }
  const end = run === undefined ? 'is no longer in its history' : `${run.result}: ${run.reason ?? ''}`;
  return { lines: [], outcome: { kind: 'failed', message: `run ${look.iteration} ${end}` } };
}
