import type { BaleError } from '../../core/errors.js';
import type { ClusterObject, NodeObject } from '../store/objects.js';
import { failedPrecondition } from './api-errors.js';

/** How long after its certificate has expired a removed node is still refused, ms: clocks differ. */
const GRACE = 7 * 24 * 3_600_000;

export type NodeRemoval =
  | { readonly kind: 'refuse'; readonly error: BaleError; readonly reason: string }
  | { readonly kind: 'remove'; readonly removedNodes: ClusterObject['removedNodes']; readonly reason: string };

/**
 * Whether a node may be removed, and whose certificates the cluster refuses after it. The node's
 * tasks are the orchestrator's: it sees that their node is gone and replaces them.
 */
export function decideNodeRemoval(node: NodeObject, cluster: ClusterObject, force: boolean, now: number): NodeRemoval {
  if (node.spec.Role === 'manager') {
    const words = `node ${node.id} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`;
    return { kind: 'refuse', error: failedPrecondition(words, 'BALE_NODE_IS_MANAGER'), reason: 'it is a manager' };
  }
  if (!force && node.status.state === 'ready') {
    const words = `node ${node.id} is not down and can't be removed`;
    return { kind: 'refuse', error: failedPrecondition(words, 'BALE_NODE_NOT_DOWN'), reason: 'it is ready' };
  }
  const still = Object.entries(cluster.removedNodes).filter(([, until]) => until > now);
  return {
    kind: 'remove',
    removedNodes: Object.fromEntries([...still, [node.id, Math.max(node.certificateExpiry, now) + GRACE]]),
    reason: force ? 'removed by force' : `removed while ${node.status.state}`,
  };
}
