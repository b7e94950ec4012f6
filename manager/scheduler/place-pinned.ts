import { explain } from './explain.js';
import { genericsOf, nameOf, refusalOf } from './filters.js';
import { chooseGenerics } from './generic-resources.js';
import type { NodePool } from './node-pool.js';
import type { Group, GroupDecision } from './placement.js';

/**
 * Tasks that are for one node only: they get it, or wait for it. One at a time: a slot that has
 * two such tasks gives up one of them.
 */
export function placePinned({ requirement, serviceId, taskIds }: Group, nodeId: string, pool: NodePool): GroupDecision {
  const [taskId, ...others] = taskIds;
  const node = pool.node(nodeId);
  if (taskId === undefined) return { placements: [] };
  if (node === undefined)
    return { placements: [], waiting: { taskIds, reason: 'its node was removed from the swarm' } };
  const account = pool.ledger.account(nodeId);
  const state = { node, account, suspect: pool.suspects.has(nodeId), serviceTasks: account.tasksOf(serviceId) };
  const refusal = refusalOf(requirement, state);
  if (refusal !== undefined) return { placements: [], waiting: { taskIds, reason: explain(requirement, [refusal]) } };
  const generics = chooseGenerics(requirement.generics, genericsOf(node), account.generics);
  const given = requirement.generics.length === 0 ? {} : { generics: generics ?? [] };
  pool.openNode(nodeId)?.place(requirement);
  const reason = `it is for node ${nameOf(node)}`;
  const placements = [{ taskId, nodeId, reason, ...given }];
  if (others.length === 0) return { placements };
  return { placements, waiting: { taskIds: others, reason: 'another task of its slot gets the node first' } };
}
