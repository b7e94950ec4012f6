import type { JobRun, ServiceObject, StartedRun } from '../store/objects.js';

/** The runs of a schedule that have not ended, the newest first. */
export const goingRuns = ({ schedule }: Pick<ServiceObject, 'schedule'>): readonly StartedRun[] =>
  (schedule?.runs ?? []).flatMap((run) => (run.kind === 'started' && run.end === undefined ? [run] : []));

/** The runs of a job whose tasks are to be brought to their end, the oldest first. Without a schedule it is the newest one. */
export function openIterations(service: Pick<ServiceObject, 'job' | 'schedule'>): readonly number[] {
  const { job, schedule } = service;
  if (job?.startedAt === undefined) return [];
  if (schedule === undefined) return [job.iteration];
  return goingRuns(service)
    .map(({ iteration }) => iteration)
    .sort((a, b) => a - b);
}

/** The run that follows. */
export const nextRun = (job: JobRun, now: number): JobRun => ({
  iteration: job.startedAt === undefined ? job.iteration : job.iteration + 1,
  startedAt: now,
});
