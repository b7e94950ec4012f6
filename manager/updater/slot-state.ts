import { isTerminal } from '../../proto/engine/task-state.js';
import type { Activation } from '../drain/drain-gate.js';
import { finalWish, shallLive } from '../drain/task-wish.js';
import { chooseLive } from '../orchestrator/slot.js';
import { stoppingTasks } from '../orchestrator/stop-task.js';
import type { NodeLookup } from '../orchestrator/task-action.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';
import { isUpToDate, sameEffect } from './effective-spec.js';
import { type Misplaced, misplacedTasks } from './misplaced.js';
import { canChange, pinnedNode } from './pinned.js';

/** One filled slot, as a rollout sees it. */
export interface SlotState {
  readonly slot: number;
  /** For the user: the number, or the node that the slot is for. */
  readonly name: string;
  readonly tasks: readonly TaskObject[];
  /** The task that the slot has or gets; absent when it is finished. */
  readonly live: TaskObject | undefined;
  /** The one that serves until `live` has taken over. */
  readonly incumbent: TaskObject | undefined;
  /** Tasks on their way out that may still run. */
  readonly leaving: readonly TaskObject[];
  /** Nothing of the new spec is in it yet. */
  readonly dirty: boolean;
  /** A planned change of it is not over. */
  readonly open: boolean;
  /** Of the whole service. */
  readonly misplaced: Misplaced;
}

export interface RolloutView {
  readonly service: ServiceObject;
  /** All its tasks, in any order. */
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
  /** Whether a task serves. */
  readonly activation: (task: TaskObject) => Activation;
  /** Whether `newcomer`, which no node takes, would find room if `incumbent` were gone. */
  readonly fitsInPlaceOf: (newcomer: TaskObject, incumbent: TaskObject) => boolean;
  /** How many tasks are on their way off a node, all services together. */
  readonly movingOff: (nodeId: string) => number;
  /** Whether the service would still be spread more evenly with this task elsewhere. */
  readonly isSurplus: (task: TaskObject) => boolean;
  readonly now: number;
}

/** The filled slots of a service, by number; without those of nodes where nothing can be changed now. */
export function slotStates(view: Pick<RolloutView, 'service' | 'tasks' | 'nodeOf'>): readonly SlotState[] {
  const bySlot = new Map<number, TaskObject[]>();
  for (const task of view.tasks) {
    const known = bySlot.get(task.slot);
    if (known === undefined) bySlot.set(task.slot, [task]);
    else known.push(task);
  }
  const misplaced = misplacedTasks(view);
  return [...bySlot]
    .filter(([, tasks]) => tasks.some((task) => finalWish(task) !== 'remove') && canChange(tasks, view.nodeOf))
    .map(([slot, tasks]) => slotState(slot, tasks, view, misplaced))
    .sort((a, b) => a.slot - b.slot);
}

function slotState(
  slot: number,
  tasks: readonly TaskObject[],
  view: Pick<RolloutView, 'service' | 'nodeOf'>,
  misplaced: Misplaced,
): SlotState {
  const { keep: live, incumbent } = chooseLive(tasks);
  const pinnedTo = pinnedNode(tasks);
  const standing = live ?? newest(tasks);
  const takeover = live?.takeover;
  return {
    slot,
    name: pinnedTo === undefined ? String(slot) : (view.nodeOf(pinnedTo)?.description?.Hostname ?? pinnedTo),
    tasks,
    live,
    incumbent,
    leaving: stoppingTasks({ tasks: tasks.filter((task) => !shallLive(task)), nodeOf: view.nodeOf }),
    dirty: standing === undefined || isDirty(standing, view, misplaced),
    open: takeover !== undefined && takeover.settledAt === undefined,
    misplaced,
  };
}

/** Of tasks that only another placement concerns, those are replaced that may not stay. */
const isDirty = (
  task: TaskObject,
  { service, nodeOf }: Pick<RolloutView, 'service' | 'nodeOf'>,
  misplaced: Misplaced,
) =>
  !isUpToDate(task, service, nodeOfTask(task, nodeOf)) ||
  (misplaced.has(task.id) && !sameEffect(task, { ...task, spec: service.spec.TaskTemplate }));

export const nodeOfTask = ({ nodeId }: Pick<TaskObject, 'nodeId'>, nodeOf: NodeLookup): NodeObject | undefined =>
  nodeId === undefined ? undefined : nodeOf(nodeId);

const newest = (tasks: readonly TaskObject[]): TaskObject | undefined =>
  tasks.reduce<TaskObject | undefined>(
    (best, task) => (best === undefined || isNewer(task, best) ? task : best),
    undefined,
  );

const isNewer = (a: TaskObject, b: TaskObject): boolean =>
  a.createdAt > b.createdAt || (a.createdAt === b.createdAt && a.version > b.version);

/** Tasks of the slot that failed in this rollout. */
export const failuresOf = ({ tasks }: SlotState, rolloutId: number): number =>
  Math.max(0, ...tasks.map(({ takeover }) => (takeover?.rollout === rolloutId ? takeover.failures : 0)));

/** The task of this rollout that failed last. */
export function lastFailed(slots: readonly SlotState[], rolloutId: number): TaskObject | undefined {
  const failed = slots.flatMap(({ tasks }) =>
    tasks.filter(
      ({ takeover, status, unhealthy }) =>
        takeover?.rollout === rolloutId &&
        takeover.failures > 0 &&
        (unhealthy === true || (isTerminal(status.State) && status.State !== 'shutdown')),
    ),
  );
  return newest(failed);
}
