import { errorMessage } from '../core/errors.js';
import type { SwarmInfo } from '../proto/engine/swarm-document.js';
import type { MembershipState } from './membership.js';

const NOWHERE: SwarmInfo = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
};

/** The `Swarm` section of `/info`, in the Engine's shape. */
export function swarmInfo(state: MembershipState): SwarmInfo {
  switch (state.kind) {
    case 'inactive':
      return NOWHERE;
    case 'pending':
      return state.record === undefined
        ? { ...NOWHERE, LocalNodeState: 'pending' }
        : {
            ...NOWHERE,
            NodeID: state.record.nodeId,
            NodeAddr: state.record.advertiseHost,
            LocalNodeState: 'pending',
            RemoteManagers: remoteManagers(state.record.managers),
          };
    case 'active': {
      const { record, node } = state;
      const known: SwarmInfo = {
        NodeID: record.nodeId,
        NodeAddr: record.advertiseHost,
        LocalNodeState: node.session.kind === 'refused' ? 'error' : 'active',
        ControlAvailable: node.manager !== undefined,
        Error: sessionError(state),
        RemoteManagers: remoteManagers(node.managers),
      };
      return node.manager === undefined ? known : { ...known, ...node.manager.api.info() };
    }
  }
}

/** The ping's `Swarm` header. */
export function swarmState(state: MembershipState): string {
  switch (state.kind) {
    case 'inactive':
    case 'pending':
      return state.kind;
    case 'active':
      if (state.node.session.kind === 'refused') return 'error';
      return state.node.manager === undefined ? 'active/worker' : 'active/manager';
  }
}

/** Why the node is out of touch; empty while all is well. */
function sessionError({ node }: Extract<MembershipState, { kind: 'active' }>): string {
  switch (node.session.kind) {
    case 'connected':
      return '';
    case 'connecting':
      return node.session.error;
    case 'refused':
      return errorMessage(node.session.error);
  }
}

/** A worker knows the addresses of its managers, not their ids. */
const remoteManagers = (addresses: readonly string[]): SwarmInfo['RemoteManagers'] =>
  addresses.map((Addr) => ({ NodeID: '', Addr }));
