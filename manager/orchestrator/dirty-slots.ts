import { isJob, isPerNode } from '../../proto/engine/service-mode.js';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';
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
export function dirtySlots(
  change: CommittedChange,
  view: Pick<View, 'get' | 'tasksByNode' | 'all'>,
): readonly SlotKey[] {
  switch (change.table) {
    case 'service':
      return isSameWish(change.before, change.after) ? [] : [change.id];
    case 'task':
      return [...dirtyByTask(change.before, change.after), ...nextToLeave(change.before, change.after, view)];
    case 'node': {
      const lost = change.after === undefined || change.after.status.state === 'down';
      const known = change.before !== undefined && change.before.status.state === change.after?.status.state;
      const onLost = lost && !known ? view.tasksByNode(change.id).map(dirtyKey) : [];
      return mattersToEligibility(change.before, change.after) ? [...onLost, ...nodeBoundServices(view)] : onLost;
    }
    case 'cluster':
    case 'secret':
    case 'config':
    case 'audit':
      return [];
  }
}

const isSameWish = (before: ServiceObject | undefined, after: ServiceObject | undefined): boolean =>
  before?.spec === after?.spec && before?.job === after?.job && before?.schedule === after?.schedule;

/** A change of a node by which it may have, or may no longer have, tasks of services that follow their nodes. */
const mattersToEligibility = (before: NodeObject | undefined, after: NodeObject | undefined): boolean =>
  before?.spec !== after?.spec ||
  before?.description !== after?.description ||
  before?.status.state !== after?.status.state ||
  before?.status.addr !== after?.status.addr;

/** A task that ends on a node that is emptied a few at a time makes place for others to leave. */
function nextToLeave(
  before: TaskObject | undefined,
  after: TaskObject | undefined,
  view: Pick<View, 'get' | 'tasksByNode'>,
): readonly SlotKey[] {
  const nodeId = before?.nodeId ?? '';
  const hasEnded = after === undefined || isTerminal(after.status.State);
  if (before === undefined || isTerminal(before.status.State) || !hasEnded) return [];
  if (view.get('node', nodeId)?.drain?.maxParallel === undefined) return [];
  return view.tasksByNode(nodeId).flatMap((task) => (isTerminal(task.status.State) ? [] : [slotKey(task)]));
}

/** Those with one task for each node, and jobs: tasks of all others are moved by the updater. */
const nodeBoundServices = (view: Pick<View, 'all'>): readonly SlotKey[] =>
  view.all('service').flatMap(({ id, spec }) => (isPerNode(spec.Mode) || isJob(spec.Mode) ? id : []));

/** The end of one task of a job may be the turn of another. */
const dirtyKey = (task: TaskObject): SlotKey => (task.jobIteration === undefined ? slotKey(task) : task.serviceId);

function dirtyByTask(before: TaskObject | undefined, after: TaskObject | undefined): readonly SlotKey[] {
  if (after === undefined) {
    return before !== undefined && isDesiredAlive(before.desiredState) ? [dirtyKey(before)] : [];
  }
  // The updater made one that waits for another to stop: this loop lets it run.
  if (before === undefined && after.desiredState === 'ready') return [dirtyKey(after)];
  const ended = isTerminal(after.status.State) && !(before !== undefined && isTerminal(before.status.State));
  const sickened = isUnhealthy(after) && !(before !== undefined && isUnhealthy(before));
  return ended || sickened ? [dirtyKey(after)] : [];
}
