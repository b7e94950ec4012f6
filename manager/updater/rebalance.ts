import { nameOf } from '../scheduler/filters.js';
import { Ledger } from '../scheduler/ledger.js';
import { NodePool } from '../scheduler/node-pool.js';
import { placeGroup } from '../scheduler/place.js';
import { requirementOf } from '../scheduler/requirement.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';
import { runsAlike } from './effective-spec.js';
import { type SlotState, slotStates } from './slot-state.js';

export interface RebalanceView {
  readonly service: ServiceObject;
  /** Of the service, in any order. */
  readonly tasks: readonly TaskObject[];
  /** Of all services: they take room. */
  readonly allTasks: readonly TaskObject[];
  /** In the order of their ids. */
  readonly nodes: readonly NodeObject[];
}

/** One surplus task, and the node that the scheduler would choose for it now. */
export interface RebalanceMove {
  readonly task: TaskObject;
  readonly from: NodeObject;
  readonly to: NodeObject;
  readonly reason: string;
}

/**
 * Which tasks of a service stand on a node that has at least two more of them than the node where the
 * scheduler would put them now. No more moves than that takes, none when it is balanced. Tasks in the
 * middle of a change, and tasks that have to leave their node anyway, stay out of it.
 */
export function decideRebalance(view: RebalanceView): readonly RebalanceMove[] {
  const { service, nodes } = view;
  const nodeOf = new Map(nodes.map((node) => [node.id, node]));
  const ledger = new Ledger();
  for (const task of view.allTasks) ledger.set(task.id, task);
  const movable = movableByNode(slotStates({ ...view, nodeOf: (id) => nodeOf.get(id) }), nodeOf);
  const count = ({ id }: NodeObject): number => ledger.account(id).tasksOf(service.id);

  const nextMove = (): RebalanceMove | undefined => {
    const sources = nodes
      .filter(({ id }) => (movable.get(id)?.length ?? 0) > 0)
      .sort((a, b) => count(b) - count(a) || (a.id < b.id ? -1 : 1));
    for (const from of sources) {
      const task = movable.get(from.id)?.at(-1);
      if (task === undefined) continue;
      ledger.set(task.id, undefined);
      const to = choose(task, view, ledger, nodeOf);
      ledger.set(task.id, task);
      if (to === undefined || count(from) - count(to) < 2) continue;
      const reason = `node ${nameOf(from)} has ${count(from)} tasks of the service, node ${nameOf(to)} has ${count(to)}`;
      ledger.set(task.id, { ...task, nodeId: to.id });
      movable.get(from.id)?.pop();
      return { task, from, to, reason };
    }
    return undefined;
  };

  const moves: RebalanceMove[] = [];
  for (let move = nextMove(); move !== undefined; move = nextMove()) moves.push(move);
  return moves;
}

/** Tasks that serve their slot alone, by node, the highest slot last. */
function movableByNode(
  slots: readonly SlotState[],
  nodeOf: ReadonlyMap<string, NodeObject>,
): ReadonlyMap<string, TaskObject[]> {
  const byNode = new Map<string, TaskObject[]>();
  for (const { live, incumbent, leaving, open, misplaced } of slots) {
    const busy = incumbent !== undefined || leaving.length > 0 || open;
    if (busy || live?.nodeId === undefined || live.status.State !== 'running') continue;
    if (misplaced.has(live.id) && live.move === undefined) continue;
    if (nodeOf.get(live.nodeId)?.status.state !== 'ready') continue;
    const known = byNode.get(live.nodeId);
    if (known === undefined) byNode.set(live.nodeId, [live]);
    else known.push(live);
  }
  return byNode;
}

/** Where the scheduler would put a task that has no node yet. */
function choose(
  task: TaskObject,
  { service, nodes }: RebalanceView,
  ledger: Ledger,
  nodeOf: ReadonlyMap<string, NodeObject>,
): NodeObject | undefined {
  const spec = runsAlike(task, service) ? service.spec.TaskTemplate : task.spec;
  const { placements } = placeGroup(
    {
      serviceId: service.id,
      requirement: requirementOf({ spec, hostPorts: task.hostPorts }),
      taskIds: [task.id],
    },
    new NodePool(nodes, ledger, new Set()),
    () => 0,
  );
  return nodeOf.get(placements[0]?.nodeId ?? '');
}

/** The rows to write so that exactly these tasks are moved: an earlier request is superseded. */
export function requestedMoves(
  tasks: readonly TaskObject[],
  moves: readonly RebalanceMove[],
  now: number,
): readonly TaskObject[] {
  const causes = new Map(moves.map(({ task, reason }) => [task.id, reason]));
  return tasks.flatMap((task) => {
    const cause = causes.get(task.id);
    if (cause !== undefined) return [{ ...task, move: { since: now, cause } }];
    const { move, ...rest } = task;
    return move === undefined ? [] : [rest];
  });
}
