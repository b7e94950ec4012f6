import type { GenericResource } from '../../proto/engine/task-spec.js';
import type { VolumesLeft } from '../store/objects.js';
import { explain } from './explain.js';
import { refusalOf } from './filters.js';
import { GroupNode } from './group-node.js';
import { countTasks, GroupBranch } from './group-tree.js';
import type { NodePool } from './node-pool.js';
import { placePinned } from './place-pinned.js';
import type { Requirement } from './requirement.js';
import type { Branch, SpreadTree } from './spread-tree.js';

/** Tasks that are alike: of one version of one service. */
export interface Group {
  readonly serviceId: string;
  readonly requirement: Requirement;
  /** In the order in which they shall get a node. */
  readonly taskIds: readonly string[];
  /** The one node that they are for. */
  readonly pinnedTo?: string;
}

export interface Placement {
  readonly taskId: string;
  readonly nodeId: string;
  /** What the task gets of the node's generic resources; absent when it asks for none. */
  readonly generics?: readonly GenericResource[];
  readonly reason: string;
  /** Data of its slot stays on another node. */
  readonly volumesLeft?: VolumesLeft;
}

export interface GroupDecision {
  readonly placements: readonly Placement[];
  /** Tasks that no node takes, with the reason; absent when there are none. */
  readonly waiting?: { readonly taskIds: readonly string[]; readonly reason: string };
}

/**
 * Chooses nodes for a group: each task goes to the branch of the spreads that has fewest, and there
 * to the node that stands best, counting the ones placed before it. The pool's nodes keep the
 * resources and numbers of the placements; the caller books them in the ledger before the next group.
 *
 * `failuresOn`: recent failures of this version of the service on a node.
 */
export function placeGroup(group: Group, pool: NodePool, failuresOn: (nodeId: string) => number): GroupDecision {
  if (group.pinnedTo !== undefined) return placePinned(group, group.pinnedTo, pool);
  const { requirement, serviceId, taskIds } = group;
  const own = pool.ledger.nodesOf(serviceId);
  const tree = pool.tree(requirement);
  const counts = requirement.spreads.length === 0 ? NO_COUNTS : countTasks(tree, branchesOf(own, tree, pool));
  const touched = new Map<string, GroupNode>();
  const root = new GroupBranch(tree.root, counts, {
    serviceTasksOn: (id) => own.get(id) ?? 0,
    failuresOn,
    enter: (open, serviceTasks, failures) => {
      const node = new GroupNode(open, requirement, serviceTasks, failures);
      touched.set(open.node.id, node);
      return node;
    },
  });
  const placements: Placement[] = [];
  for (const taskId of taskIds) {
    if (root.best() === undefined) break;
    root.place((node) => {
      const reason = node.describe();
      const generics = node.place();
      const nodeId = node.open.node.id;
      placements.push({ taskId, nodeId, reason, ...(generics === undefined ? {} : { generics }) });
    });
  }
  root.release();
  if (placements.length === taskIds.length) return { placements };
  return {
    placements,
    waiting: { taskIds: taskIds.slice(placements.length), reason: reasonFor(requirement, pool, touched) },
  };
}

const NO_COUNTS: ReadonlyMap<Branch, number> = new Map();

function* branchesOf(
  own: ReadonlyMap<string, number>,
  tree: SpreadTree,
  pool: NodePool,
): Iterable<readonly [readonly Branch[], number]> {
  for (const [id, tasks] of own) {
    const node = pool.node(id);
    if (node !== undefined) yield [tree.path(node), tasks];
  }
}

/** Every node has refused: the ones of the tree by what they have left, the others before that. */
const reasonFor = (requirement: Requirement, pool: NodePool, touched: ReadonlyMap<string, GroupNode>): string =>
  explain(
    requirement,
    pool.nodes.flatMap((node) => {
      const inTree = touched.get(node.id);
      const account = inTree ?? pool.ledger.account(node.id);
      const state = { node, suspect: pool.suspects.has(node.id), account, serviceTasks: inTree?.serviceTasks ?? 0 };
      return refusalOf(requirement, state) ?? [];
    }),
  );
