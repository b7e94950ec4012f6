import { isTerminal } from '../../proto/engine/task-state.js';
import { misfits } from '../scheduler/misfit.js';
import type { NodeLookup } from '../orchestrator/task-action.js';
import type { ServiceObject, TaskObject } from '../store/objects.js';
import type { Draft } from '../store/store-types.js';
import { runsAlike } from './effective-spec.js';
import { outrunTasks } from './pinned.js';

/** Ids of tasks that shall not go on as they are, each with the reason. */
export type Misplaced = ReadonlyMap<string, string>;

const OUTRUN = 'its service was updated while its node could not be changed';

interface MisplacedView {
  readonly service: ServiceObject;
  readonly tasks: readonly TaskObject[];
  readonly nodeOf: NodeLookup;
}

/**
 * The tasks of a service that shall leave their nodes: the node is to be emptied, it no longer meets
 * what the service asks of its nodes, or somebody asked for the move. A task of an older spec is
 * judged by the placement of its service only when nothing else sets the two apart.
 */
export function misplacedTasks({ service, tasks, nodeOf }: MisplacedView): Misplaced {
  const { TaskTemplate } = service.spec;
  const byNode = new Map<string, TaskObject[]>();
  for (const task of tasks) {
    // One that is for its node can be nowhere else: whether it may be there is its service's decision.
    if (task.nodeId === undefined || task.pinnedTo !== undefined || isTerminal(task.status.State)) continue;
    const known = byNode.get(task.nodeId);
    if (known === undefined) byNode.set(task.nodeId, [task]);
    else known.push(task);
  }
  const outrun = outrunTasks({ service, tasks, nodeOf }).map(({ id }) => [id, OUTRUN] as const);
  const reasons = new Map<string, string>(outrun);
  for (const [nodeId, own] of byNode) {
    const node = nodeOf(nodeId);
    if (node === undefined) continue;
    for (const { id, move } of own) if (move !== undefined) reasons.set(id, move.cause);
    if (node.spec.Availability === 'drain') {
      for (const { id } of own) reasons.set(id, `node ${node.description?.Hostname ?? nodeId} is drained`);
      continue;
    }
    const found = misfits(node, own, (task) => (runsAlike(task, service) ? TaskTemplate : task.spec));
    for (const { task, reason } of found) reasons.set(task.id, reason);
  }
  return reasons;
}

/** Nothing but a request moves this task: it may stay where it is when that serves nobody. */
export const isOnlyAsked = ({ id, move }: TaskObject, misplaced: Misplaced): boolean =>
  move !== undefined && misplaced.get(id) === move.cause;

/** The row of a task whose move is called off. */
export function withoutMove(task: TaskObject): Draft<TaskObject> {
  const { move: _move, ...rest } = task;
  return rest;
}
