import { BaleError } from '../../core/errors.js';
import type { ClusterObject, NodeObject } from '../store/objects.js';

/** The row of a node that may act in this cluster. A good certificate alone is not enough. */
export function requireMember(nodeId: string, cluster: ClusterObject, node: NodeObject | undefined): NodeObject {
  const remedy = 'on that node, run "bale swarm leave --force" and join again';
  if (Object.hasOwn(cluster.removedNodes, nodeId)) {
    throw new BaleError(`node ${nodeId} was removed from cluster ${cluster.id}: ${remedy}`, {
      kind: 'forbidden',
      code: 'BALE_NODE_REMOVED',
    });
  }
  if (node !== undefined) return node;
  throw new BaleError(`cluster ${cluster.id} does not know node ${nodeId}: ${remedy}`, {
    kind: 'not-found',
    code: 'BALE_NODE_UNKNOWN',
  });
}
