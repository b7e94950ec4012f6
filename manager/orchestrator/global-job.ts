import { nameOf } from '../scheduler/filters.js';
import type { ServiceObject } from '../store/objects.js';
import { nodeSlots } from './global.js';
import {
  besides,
  decideJobSlot,
  isDone,
  type JobTasks,
  jobTasks,
  mayRun,
  type OpenRun,
  removeEarlier,
} from './job-slot.js';
import { nodeStanding } from './node-standing.js';
import { removeTasks, type ServiceView, slotsOf } from './service-slots.js';
import { isFilled, type SlotView } from './slot.js';
import { decision, type Decision, earliest, NOTHING, type TaskAction } from './task-action.js';
import { draftTask } from './task-draft.js';

/** Runs a job once on each node that it may use, also on those that come later. */
export function decideGlobalJob(service: ServiceObject, view: ServiceView): Decision {
  const tasks = jobTasks(service, view.tasks);
  const removal = removeEarlier(tasks, view);
  const slotOf = slotNumbers(view);
  const runs = tasks.open.map((run) => decideRun(run, tasks, slotOf, view));
  return decision(
    [...removal.actions, ...runs.flatMap(({ actions }) => actions)],
    runs.reduce((at: number | undefined, run) => earliest(at, run.wakeAt), undefined),
    removal.more || runs.some(({ more }) => more),
  );
}

/** The number that stands for a node, the same in all runs. */
function slotNumbers(view: ServiceView): (nodeId: string) => number {
  const { byNode, nextFree } = nodeSlots(slotsOf(view.tasks));
  const given = new Map<string, number>();
  return (nodeId) => {
    const slot = byNode.get(nodeId)?.slot ?? given.get(nodeId) ?? nextFree();
    given.set(nodeId, slot);
    return slot;
  };
}

function decideRun(run: OpenRun, tasks: JobTasks, slotOf: (nodeId: string) => number, view: ServiceView): Decision {
  const { service } = run;
  const actions: TaskAction[] = [];
  let wakeAt: number | undefined;
  for (const slot of slotsOf(run.tasks)) {
    const next = decideNodeJob({ ...view, service, ...slot });
    actions.push(...next.actions);
    wakeAt = earliest(wakeAt, next.wakeAt);
  }
  const begun = new Set(run.tasks.flatMap((task) => (isFilled([task]) ? (task.pinnedTo ?? []) : [])));
  const stopping = new Set(
    besides(run, tasks, view.tasks).flatMap((task) =>
      !begun.has(task.pinnedTo ?? '') && mayRun(task, view) ? (task.pinnedTo ?? []) : [],
    ),
  );
  const open = view.nodes.filter(
    (node) =>
      !begun.has(node.id) && !stopping.has(node.id) && nodeStanding(node, service.spec.TaskTemplate).kind === 'wanted',
  );
  for (const node of open.slice(0, view.batch)) {
    const start = { blocked: false, restarts: [], message: 'created', pinnedTo: node.id };
    const reason = `node ${nameOf(node)} has not run the job yet`;
    actions.push({ kind: 'create', task: draftTask(service, slotOf(node.id), start, view.now), reason });
  }
  return decision(actions, wakeAt, open.length > view.batch);
}

/** The slot of one node. What is done stays so; what its node may no longer have goes, and comes again with the node. */
function decideNodeJob(view: SlotView): Decision {
  const { tasks, service, nodeOf } = view;
  const node = nodeOf(tasks[0]?.pinnedTo ?? '');
  const standing = nodeStanding(node, service.spec.TaskTemplate);
  if (standing.kind === 'refused' && !isDone(tasks)) {
    return removeTasks(tasks, standing.reason, { ...view, batch: Infinity });
  }
  if (node === undefined || node.status.state === 'down') return NOTHING;
  return isFilled(tasks) ? decideJobSlot(view) : NOTHING;
}
