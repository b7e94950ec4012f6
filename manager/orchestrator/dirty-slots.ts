import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import type { TaskObject } from '../store/objects.js';
import type { CommittedChange, View } from '../store/store-types.js';
import { isUnhealthy } from './unhealthy.js';

/** What is to be decided again: a service with all its slots, or one slot. `serviceId` or `serviceId/slot`. */
export type SlotKey = string;

export const slotKey = (task: Pick<TaskObject, 'serviceId' | 'slot'>): SlotKey => `${task.serviceId}/${task.slot}`;

export function parseSlotKey(key: SlotKey): { readonly serviceId: string; readonly slot?: number } {
  const [serviceId = '', slot] = key.split('/');
  return slot === undefined ? { serviceId } : { serviceId, slot: Number(slot) };
}

/** All services, and those that only their tasks still name. */
export const allServices = (view: Pick<View, 'all'>): ReadonlySet<SlotKey> =>
  new Set([...view.all('service').map(({ id }) => id), ...view.all('task').map(({ serviceId }) => serviceId)]);

/**
 * What a committed change makes the orchestrator look at. The ordinary way of a task up to
 * `running` is not among it: starting ten thousand tasks costs no decision.
 */
export function dirtySlots(change: CommittedChange, view: Pick<View, 'tasksByNode'>): readonly SlotKey[] {
  switch (change.table) {
    case 'service':
      return change.before?.spec === change.after?.spec ? [] : [change.id];
    case 'task':
      return dirtyByTask(change.before, change.after);
    case 'node': {
      const lost = change.after === undefined || change.after.status.state === 'down';
      const known = change.before !== undefined && change.before.status.state === change.after?.status.state;
      return lost && !known ? view.tasksByNode(change.id).map(slotKey) : [];
    }
    case 'cluster':
    case 'secret':
    case 'config':
      return [];
  }
}

function dirtyByTask(before: TaskObject | undefined, after: TaskObject | undefined): readonly SlotKey[] {
  if (after === undefined) {
    return before !== undefined && isDesiredAlive(before.desiredState) ? [slotKey(before)] : [];
  }
  // The updater made one that waits for another to stop: this loop lets it run.
  if (before === undefined && after.desiredState === 'ready') return [slotKey(after)];
  const ended = isTerminal(after.status.State) && !(before !== undefined && isTerminal(before.status.State));
  const sickened = isUnhealthy(after) && !(before !== undefined && isUnhealthy(before));
  return ended || sickened ? [slotKey(after)] : [];
}
