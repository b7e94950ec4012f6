import type { ServiceMode } from '../../proto/engine/service-spec.js';
import { withoutDrain } from '../drain/task-wish.js';
import type { ServiceObject } from '../store/objects.js';
import { revivals } from './revive.js';
import { chooseDoomed, type Slot } from './scale-down.js';
import { removeTasks, type ServiceView, slotsOf } from './service-slots.js';
import { decideSlot, isFilled, OLD_TASK_TIMEOUT } from './slot.js';
import { stoppingTasks } from './stop-task.js';
import { decision, type Decision, earliest, NOTHING, type TaskAction } from './task-action.js';
import { draftTask } from './task-draft.js';

/** How many slots a service wishes for; undefined when its mode is not replicated. A mode of nothing is one replica. */
export function replicasOf(mode: ServiceMode): number | undefined {
  if (mode.Replicated !== undefined) return mode.Replicated.Replicas ?? 1;
  return Object.keys(mode).length === 0 ? 1 : undefined;
}

/**
 * Brings a replicated service to its number of slots and each slot to what the service wishes.
 * Slots are numbers from 1; the lowest free ones are filled first.
 */
export function decideReplicated(service: ServiceObject, view: ServiceView): Decision {
  const replicas = replicasOf(service.spec.Mode);
  if (replicas === undefined) return NOTHING;

  const slots = slotsOf(view.tasks);
  const filled = slots.filter((slot) => isFilled(slot.tasks));
  const surplus = Math.max(0, filled.length - replicas);
  const doomed = new Set(surplus > 0 ? chooseDoomed(filled, Math.min(surplus, view.batch), view.nodeOf) : []);
  const actions: TaskAction[] = [];
  let wakeAt: number | undefined;
  for (const slot of slots) {
    const next = doomed.has(slot)
      ? removeTasks(slot.tasks, `its service was scaled to ${replicas}`, { ...view, batch: Infinity })
      : decideSlot({ ...view, service, ...slot });
    actions.push(...next.actions);
    wakeAt = earliest(wakeAt, next.wakeAt);
  }
  const missing = Math.max(0, replicas - filled.length);
  const added = fillSlots(service, slots, Math.min(missing, view.batch), view);
  return decision(
    [...actions, ...added.actions],
    earliest(wakeAt, added.wakeAt),
    missing > view.batch || surplus > view.batch,
  );
}

/**
 * Fills `count` free slots: first those whose task was to be removed and still serves, then the
 * lowest with new tasks. One whose removed task still stops waits for it.
 */
function fillSlots(service: ServiceObject, slots: readonly Slot[], count: number, view: ServiceView): Decision {
  const bySlot = new Map(slots.map((slot) => [slot.slot, slot.tasks]));
  const revived = revivals(service, slots, view.nodeOf).slice(0, count);
  const taken = new Set(revived.map(({ slot }) => slot));
  const actions: TaskAction[] = revived.map((task) => ({
    kind: 'amend',
    task: withoutDrain(task),
    reason: 'its service wants it back before it was told to stop',
  }));
  let wakeAt: number | undefined;
  for (let slot = 1; actions.length < count; slot += 1) {
    const tasks = bySlot.get(slot) ?? [];
    if (isFilled(tasks) || taken.has(slot)) continue;
    const blocked = stoppingTasks({ ...view, tasks }).length > 0;
    if (blocked) wakeAt = view.now + OLD_TASK_TIMEOUT;
    const message = blocked ? 'created; it waits for the old task of its slot to stop' : 'created';
    actions.push({
      kind: 'create',
      task: draftTask(service, slot, { blocked, restarts: [], message }, view.now),
      reason: `slot ${slot} of the service is free`,
    });
  }
  return decision(actions, wakeAt);
}
