import { timestamp } from '../../core/clock.js';
import type { NodeDescription, NodeDocument, PortError, TLSInfo } from '../../proto/engine/node-document.js';
import type { NodeDrain, NodeObject } from '../store/objects.js';
import { objectMeta } from './object-meta.js';

/** What the Engine shows of a node that never had a session. */
const UNKNOWN_MACHINE: NodeDescription = {
  Hostname: '',
  Platform: {},
  Resources: {},
  Engine: { EngineVersion: '', Plugins: [] },
};

export interface ShownNode {
  /** The cluster's root: each node trusts that one, since a root is never replaced. */
  readonly trust: TLSInfo;
  /** The manager that answers. */
  readonly leaderId: string;
  /** Tasks of the node that have not ended. */
  readonly tasksLeft: number;
  readonly portErrors: readonly PortError[];
}

/** A row as `GET /nodes` shows it. */
export const nodeDocument = (
  node: NodeObject,
  { trust, leaderId, tasksLeft, portErrors }: ShownNode,
): NodeDocument => ({
  ...objectMeta(node),
  Spec: node.spec,
  Description: { TLSInfo: trust, ...(node.description ?? UNKNOWN_MACHINE) },
  Status: {
    State: node.status.state,
    ...(node.status.message === '' ? {} : { Message: node.status.message }),
    Addr: node.status.addr,
  },
  ...(node.spec.Role === 'manager' && node.managerAddr !== undefined
    ? {
        ManagerStatus: {
          ...(node.id === leaderId ? { Leader: true } : {}),
          Reachability: node.id === leaderId ? 'reachable' : 'unknown',
          Addr: node.managerAddr,
        },
      }
    : {}),
  ...(portErrors.length === 0 ? {} : { portErrors: [...portErrors] }),
  ...(node.drain === undefined ? {} : { drain: drainDocument(node.drain, tasksLeft) }),
});

const drainDocument = (
  { since, deadline, maxParallel }: NodeDrain,
  tasksLeft: number,
): NonNullable<NodeDocument['drain']> => ({
  since: timestamp(since),
  ...(deadline === undefined ? {} : { deadline: timestamp(deadline) }),
  ...(maxParallel === undefined ? {} : { maxParallel }),
  tasksLeft,
});
