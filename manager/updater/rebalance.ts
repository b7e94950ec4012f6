import { localVolumes } from '../scheduler/local-volumes.js';
import type { NodeObject, TaskObject } from '../store/objects.js';
import { Balance, type BalanceView, type RebalanceMove } from './balance.js';
import { type SlotState, slotStates } from './slot-state.js';

export interface RebalanceView extends BalanceView {
  /** Of the service, in any order. */
  readonly tasks: readonly TaskObject[];
}

/**
 * The moves that spread a service evenly, by its spread preferences first, then over nodes. No more
 * of them than that takes, none when it is balanced. Tasks in the middle of a change, tasks that
 * have to leave their node anyway, and tasks with volumes stay out of it.
 */
export function decideRebalance(view: RebalanceView): readonly RebalanceMove[] {
  const nodeOf = new Map(view.nodes.map((node) => [node.id, node]));
  const balance = new Balance(view);
  const movable = movableByNode(slotStates({ ...view, nodeOf: (id) => nodeOf.get(id) }), nodeOf);

  const nextMove = (): RebalanceMove | undefined => {
    const sources = view.nodes
      .filter(({ id }) => (movable.get(id)?.length ?? 0) > 0)
      .sort((a, b) => balance.count(b) - balance.count(a) || (a.id < b.id ? -1 : 1));
    for (const { id } of sources) {
      const task = movable.get(id)?.at(-1);
      const move = task === undefined ? undefined : balance.moveOf(task);
      if (move === undefined) continue;
      balance.note(move);
      movable.get(id)?.pop();
      return move;
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
    // Its data would stay behind.
    if (localVolumes(live.spec).length > 0) continue;
    if (misplaced.has(live.id) && live.move === undefined) continue;
    if (nodeOf.get(live.nodeId)?.status.state !== 'ready') continue;
    const known = byNode.get(live.nodeId);
    if (known === undefined) byNode.set(live.nodeId, [live]);
    else known.push(live);
  }
  return byNode;
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
