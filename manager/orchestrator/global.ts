import { isTerminal } from '../../proto/engine/task-state.js';
import { shallLive, withoutDrain } from '../drain/task-wish.js';
import { nameOf } from '../scheduler/filters.js';
import type { NodeObject, ServiceObject } from '../store/objects.js';
import { nodeStanding } from './node-standing.js';
import { revivals } from './revive.js';
import type { Slot } from './scale-down.js';
import { removeTasks, type ServiceView, slotsOf } from './service-slots.js';
import { decideSlot, isFilled, OLD_TASK_TIMEOUT, type SlotView } from './slot.js';
import { stoppingTasks } from './stop-task.js';
import { decision, type Decision, earliest, NOTHING, type TaskAction } from './task-action.js';
import { draftTask } from './task-draft.js';

/** How often the tasks of a node that is emptied a few at a time are looked at, besides each end of one, ms. */
const NEXT_TURN = 1_000;

/**
 * Brings a global service to one task on each node that it may use. Its slots are nodes: each node
 * has a slot number of its own while there is a task for it, and all that holds for slots (history,
 * restarts, one task at a time) holds for it.
 */
export function decideGlobal(service: ServiceObject, view: ServiceView): Decision {
  const slots = slotsOf(view.tasks);
  const actions: TaskAction[] = [];
  let wakeAt: number | undefined;
  for (const slot of slots) {
    const next = decideNodeSlot({ ...view, service, ...slot });
    actions.push(...next.actions);
    wakeAt = earliest(wakeAt, next.wakeAt);
  }
  const { byNode, nextFree } = nodeSlots(slots);
  const open = view.nodes.filter(
    (node) =>
      !isFilled(byNode.get(node.id)?.tasks ?? []) && nodeStanding(node, service.spec.TaskTemplate).kind === 'wanted',
  );
  for (const node of open.slice(0, view.batch)) {
    const known = byNode.get(node.id);
    const added = fillNode(node, { ...view, service, slot: known?.slot ?? nextFree(), tasks: known?.tasks ?? [] });
    actions.push(...added.actions);
    wakeAt = earliest(wakeAt, added.wakeAt);
  }
  return decision(actions, wakeAt, open.length > view.batch);
}

/**
 * Keeps the slot of one node. What runs on a node that is down stays wished for: no other node could
 * have it, and when the node is back it may run still.
 */
export function decideNodeSlot(view: SlotView): Decision {
  const { tasks, service, nodeOf } = view;
  const node = nodeOf(tasks[0]?.pinnedTo ?? '');
  const standing = nodeStanding(node, service.spec.TaskTemplate);
  if (standing.kind === 'refused') {
    const waits = waitsForTurn(node, view);
    if (waits !== undefined) return decision([], waits);
    return removeTasks(tasks, standing.reason, { ...view, batch: Infinity });
  }
  return isFilled(tasks) && node?.status.state !== 'down' ? decideSlot(view) : NOTHING;
}

/**
 * A node that is emptied with a limit on the tasks that leave it at once: when its task is to be looked
 * at again, while others leave. Undefined when it may go, as it may from a node that is down.
 */
function waitsForTurn(node: NodeObject | undefined, { tasks, movingOff, now }: SlotView): number | undefined {
  const { maxParallel, deadline = Infinity } = node?.drain ?? {};
  if (node === undefined || maxParallel === undefined || node.status.state === 'down' || now >= deadline)
    return undefined;
  const isThere = tasks.some((task) => shallLive(task) && !isTerminal(task.status.State));
  return isThere && movingOff(node.id) >= maxParallel ? Math.min(deadline, now + NEXT_TURN) : undefined;
}

/** The task of a node: the one that was to be removed and still serves, or a new one. */
function fillNode(node: NodeObject, view: SlotView): Decision {
  const { service, slot, tasks, now } = view;
  const [revived] = revivals(service, [{ slot, tasks }], view.nodeOf);
  if (revived !== undefined) {
    const reason = 'its node may have it again before it was told to stop';
    return decision([{ kind: 'amend', task: withoutDrain(revived), reason }], undefined);
  }
  const blocked = stoppingTasks(view).length > 0;
  const message = blocked ? 'created; it waits for the old task of its node to stop' : 'created';
  const start = { blocked, restarts: [], message, pinnedTo: node.id };
  const task = draftTask(service, slot, start, now);
  const reason = `node ${nameOf(node)} has no task of the service: its slot is free`;
  return decision([{ kind: 'create', task, reason }], blocked ? now + OLD_TASK_TIMEOUT : undefined);
}

/** Slots by their nodes, and the numbers for further nodes: the lowest from 1 that no slot has. */
export function nodeSlots(slots: readonly Slot[]): {
  readonly byNode: ReadonlyMap<string | undefined, Slot>;
  readonly nextFree: () => number;
} {
  const taken = new Set(slots.map(({ slot }) => slot));
  let next = 0;
  return {
    byNode: new Map(slots.map((slot) => [slot.tasks[0]?.pinnedTo, slot])),
    nextFree: () => {
      do next += 1;
      while (taken.has(next));
      return next;
    },
  };
}
