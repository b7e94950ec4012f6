import type { Endpoint } from '../../proto/endpoint-table.js';
import type { DialFailure } from './dial-error.js';

/**
 * The nodes that one connection has better avoid, after one more dial of it failed. A node towards
 * which a dial timed out may be stopped or cut off with all its replicas, each of which would cost the
 * connection a time-out more. A refusal is quick, and says nothing of the node's other replicas.
 */
export const stalledAfter = (
  stalled: ReadonlySet<string>,
  { nodeId }: Pick<Endpoint, 'nodeId'>,
  failure: DialFailure,
): ReadonlySet<string> => (failure === 'timeout' ? new Set([...stalled, nodeId]) : stalled);
