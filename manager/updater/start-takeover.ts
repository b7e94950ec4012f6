import { OLD_TASK_TIMEOUT } from '../orchestrator/slot.js';
import { retire } from '../orchestrator/stop-task.js';
import type { TaskAction } from '../orchestrator/task-action.js';
import { draftTask } from '../orchestrator/task-draft.js';
import type { Takeover, TaskObject } from '../store/objects.js';
import { hostPortsOf, runsAlike } from './effective-spec.js';
import { overdue } from './node-drain.js';
import { pinnedNode } from './pinned.js';
import { chooseOrder, type OrderChoice } from './update-order.js';
import { isOnlyAsked, withoutMove } from './misplaced.js';
import { rolloutConfig } from './rollout-config.js';
import type { RolloutView, SlotState } from './slot-state.js';

/** The most moves under way at once of one service, unless the drain of a node says otherwise. */
const MOVES_AT_ONCE = 1;

/** The order in which the slots of this service are changed. */
export const orderOf = ({ service }: Pick<RolloutView, 'service'>): OrderChoice =>
  chooseOrder(rolloutConfig(service).order, {
    spec: service.spec.TaskTemplate,
    hostPorts: hostPortsOf(service),
  });

/** Begins the change of one slot to the spec of the service. */
export function startChange(slot: SlotState, rolloutId: number, view: RolloutView): readonly TaskAction[] {
  const { live } = slot;
  const takeover = { rollout: rolloutId, failures: 0 };
  if (live === undefined) return [create(slot, takeover, { blocked: slot.leaving.length > 0 }, view)];
  return beginTakeover(slot, live, takeover, orderOf(view).order, undefined, view);
}

/**
 * Moves tasks off the nodes where they shall not stay, a few at a time, each like a change of its
 * slot but with the spec it has. A rollout that goes on comes to its slots by itself. A task whose node
 * should be empty by now goes at once, whatever else is under way.
 */
export function startMoves(
  slots: readonly SlotState[],
  view: RolloutView & { readonly rolling: boolean },
): readonly TaskAction[] {
  const quota = new MoveQuota(slots.filter(({ open, live }) => open && live?.takeover?.rollout === undefined).length);
  return slots.flatMap((slot) => {
    const { live, incumbent, leaving, open, dirty } = slot;
    if (live === undefined || incumbent !== undefined || !slot.misplaced.has(live.id)) return [];
    if (overdue(live, view.nodeOf, view.now) !== undefined) return move(slot, live, 'stop-first', view);
    if (leaving.length > 0 || open || (dirty && view.rolling)) return [];
    const { order } = chooseOrder(rolloutConfig(view.service).order, live);
    if (!quota.take(live, order, view)) return [];
    // What the request saw may be long ago: the node that had room is gone, or full by now.
    if (isOnlyAsked(live, slot.misplaced) && !view.isSurplus(live)) {
      return [{ kind: 'amend', task: withoutMove(live), reason: 'no node is a better place for it any more' }];
    }
    return move(slot, live, order, view);
  });
}

const move = (
  slot: SlotState,
  live: TaskObject,
  order: OrderChoice['order'],
  view: RolloutView,
): readonly TaskAction[] => beginTakeover(slot, live, { failures: 0 }, order, live, view);

/** What one decision may still begin to move. */
class MoveQuota {
  /** Moves of the service under way, those that this decision begins included. */
  #ofService: number;
  readonly #offNode = new Map<string, number>();

  constructor(underWay: number) {
    this.#ofService = underWay;
  }

  /** In stop-first a service never misses more than one task because of moves. */
  take({ nodeId = '' }: TaskObject, order: OrderChoice['order'], { nodeOf, movingOff }: RolloutView): boolean {
    const limit = nodeOf(nodeId)?.drain?.maxParallel;
    const ofService = order === 'start-first' ? (limit ?? MOVES_AT_ONCE) : MOVES_AT_ONCE;
    const begun = this.#offNode.get(nodeId) ?? 0;
    if (this.#ofService >= ofService || (limit !== undefined && movingOff(nodeId) + begun >= limit)) return false;
    this.#ofService += 1;
    this.#offNode.set(nodeId, begun + 1);
    return true;
  }
}

function beginTakeover(
  slot: SlotState,
  live: TaskObject,
  takeover: Takeover,
  order: OrderChoice['order'],
  template: TaskObject | undefined,
  view: RolloutView,
): readonly TaskAction[] {
  const keepsSpec = template !== undefined && template.pinnedTo === undefined && !runsAlike(template, view.service);
  const uses = keepsSpec ? { template } : {};
  if (order === 'start-first' && live.status.State === 'running') {
    return [create(slot, { ...takeover, from: live.id }, { blocked: false, ...uses }, view)];
  }
  // One that does not serve has nothing to hand over.
  const blocked = slot.leaving.length > 0 || (order === 'stop-first' && live.nodeId !== undefined);
  return [
    retire(live, 'shutdown', 'it makes room for the new task of its slot', view),
    create(slot, takeover, { blocked, ...uses }, view),
  ];
}

function create(
  { slot, tasks, live, misplaced }: SlotState,
  takeover: Takeover,
  start: { readonly blocked: boolean; readonly template?: TaskObject },
  { service, now }: RolloutView,
): TaskAction {
  const cause = misplaced.get(live?.id ?? '') ?? 'its old node may not keep it';
  const moved = pinnedNode(tasks) === undefined ? `moved: ${cause}` : `replaced: ${cause}`;
  const what = takeover.rollout === undefined ? moved : 'made by an update';
  const message = start.blocked
    ? `${what}; it waits for the old task of its slot to stop, ${OLD_TASK_TIMEOUT / 1000} s at most`
    : what;
  const pinnedTo = pinnedNode(tasks);
  const task = draftTask(service, slot, { ...start, restarts: [], takeover, message, pinnedTo }, now);
  return { kind: 'create', task, reason: what };
}
