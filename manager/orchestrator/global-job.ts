import { nameOf } from '../scheduler/filters.js';
import type { ServiceObject } from '../store/objects.js';
import { nodeSlots } from './global.js';
import { decideJobSlot, isDone, jobTasks, mayRun, removeEarlier } from './job-slot.js';
import { nodeStanding } from './node-standing.js';
import { removeTasks, type ServiceView, slotsOf } from './service-slots.js';
import { isFilled, type SlotView } from './slot.js';
import { decision, type Decision, earliest, NOTHING, type TaskAction } from './task-action.js';
import { draftTask } from './task-draft.js';

/** Runs a job once on each node that it may use, also on those that come later. */
export function decideGlobalJob(service: ServiceObject, view: ServiceView): Decision {
  const tasks = jobTasks(view);
  const removal = removeEarlier(tasks, view);
  const actions: TaskAction[] = [...removal.actions];
  let wakeAt: number | undefined;
  const present = slotsOf(tasks.present);
  for (const slot of present) {
    const next = decideNodeJob({ ...view, service, ...slot });
    actions.push(...next.actions);
    wakeAt = earliest(wakeAt, next.wakeAt);
  }
  const { byNode, nextFree } = nodeSlots(slotsOf(view.tasks));
  const begun = new Set(tasks.present.flatMap((task) => (isFilled([task]) ? (task.pinnedTo ?? []) : [])));
  const stopping = new Set(
    view.tasks.flatMap((task) => (!begun.has(task.pinnedTo ?? '') && mayRun(task, view) ? (task.pinnedTo ?? []) : [])),
  );
  const open = view.nodes.filter(
    (node) =>
      !begun.has(node.id) && !stopping.has(node.id) && nodeStanding(node, service.spec.TaskTemplate).kind === 'wanted',
  );
  for (const node of open.slice(0, view.batch)) {
    const slot = byNode.get(node.id)?.slot ?? nextFree();
    const start = { blocked: false, restarts: [], message: 'created', pinnedTo: node.id };
    const reason = `node ${nameOf(node)} has not run the job yet`;
    actions.push({ kind: 'create', task: draftTask(service, slot, start, view.now), reason });
  }
  return decision(actions, wakeAt, removal.more || open.length > view.batch);
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
