import { GroupSearch } from './group-search.js';
import type { NodePool } from './node-pool.js';
import { placePinned } from './place-pinned.js';
import type { Group, GroupDecision } from './placement.js';

/**
 * Chooses nodes for a group: each task goes to the branch of the spreads that has fewest, and there
 * to the node that stands best, counting the ones placed before it. The pool's nodes keep the
 * resources and numbers of the placements; the caller books them in the ledger before the next group.
 *
 * `failuresOn`: recent failures of this version of the service on a node.
 */
export function placeGroup(group: Group, pool: NodePool, failuresOn: (nodeId: string) => number): GroupDecision {
  if (group.pinnedTo !== undefined) return placePinned(group, group.pinnedTo, pool);
  const { taskIds } = group;
  const search = pool.search(group, () => new GroupSearch(group, pool, failuresOn));
  const placements = search.place(taskIds);
  if (placements.length === taskIds.length) return { placements };
  return { placements, waiting: { taskIds: taskIds.slice(placements.length), reason: search.reason() } };
}
