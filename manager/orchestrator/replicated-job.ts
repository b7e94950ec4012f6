import type { ServiceObject } from '../store/objects.js';
import { besides, decideJobSlot, type JobTasks, jobTasks, mayRun, type OpenRun, removeEarlier } from './job-slot.js';
import { type ServiceView, slotsOf } from './service-slots.js';
import { decision, type Decision, earliest, type TaskAction } from './task-action.js';
import { draftTask } from './task-draft.js';

/**
 * Brings the runs of a replicated job that go on nearer to their end: slots from 0 to the number of
 * completions, each done once, in their order.
 *
 * Invariant: of one run never more tasks than MaxConcurrent may run at once, those of ended runs and
 * those that are stopping included; but for what stands on a lost node.
 */
export function decideReplicatedJob(service: ServiceObject, view: ServiceView): Decision {
  const tasks = jobTasks(service, view.tasks);
  const removal = removeEarlier(tasks, view);
  const runs = tasks.open.map((run) => decideRun(run, tasks, view));
  return decision(
    [...removal.actions, ...runs.flatMap(({ actions }) => actions)],
    runs.reduce((at: number | undefined, run) => earliest(at, run.wakeAt), undefined),
    removal.more || runs.some(({ more }) => more),
  );
}

function decideRun(run: OpenRun, tasks: JobTasks, view: ServiceView): Decision {
  const { service } = run;
  const slots = slotsOf(run.tasks);
  const actions: TaskAction[] = [];
  let wakeAt: number | undefined;
  for (const slot of slots) {
    const next = decideJobSlot({ ...view, service, ...slot });
    actions.push(...next.actions);
    wakeAt = earliest(wakeAt, next.wakeAt);
  }
  const { MaxConcurrent = 1, TotalCompletions = MaxConcurrent } = service.spec.Mode.ReplicatedJob ?? {};
  const replacements = actions.filter(({ kind }) => kind === 'create').length;
  const busy = besides(run, tasks, view.tasks).filter((task) => mayRun(task, view)).length + replacements;
  const begun = new Set(slots.map(({ slot }) => slot));
  const stopping = new Set(tasks.earlier.flatMap((task) => (mayRun(task, view) ? task.slot : [])));
  const free = Math.min(MaxConcurrent - busy, view.batch);
  let added = 0;
  for (let slot = 0; slot < TotalCompletions && added < free; slot += 1) {
    if (begun.has(slot) || stopping.has(slot)) continue;
    const task = draftTask(service, slot, { blocked: false, restarts: [], message: 'created' }, view.now);
    actions.push({ kind: 'create', task, reason: `slot ${slot} of the job is its turn` });
    added += 1;
  }
  return decision(actions, wakeAt, added === view.batch && MaxConcurrent - busy > view.batch);
}
