import type { NodeDescription, NodeDocument, TLSInfo } from '../../proto/engine/node-document.js';
import type { NodeObject } from '../store/objects.js';
import { objectMeta } from './object-meta.js';

/** What the Engine shows of a node that never had a session. */
const UNKNOWN_MACHINE: NodeDescription = {
  Hostname: '',
  Platform: {},
  Resources: {},
  Engine: { EngineVersion: '', Plugins: [] },
};

/**
 * A row as `GET /nodes` shows it. `trust` is the cluster's root: each node trusts that one, since a
 * root is never replaced. `leaderId` is the manager that answers.
 */
export const nodeDocument = (node: NodeObject, trust: TLSInfo, leaderId: string): NodeDocument => ({
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
  ...(node.portErrors.length === 0 ? {} : { portErrors: [...node.portErrors] }),
});
