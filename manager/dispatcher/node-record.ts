import type { NodeDescription, NodeState } from '../../proto/engine/node-document.js';
import type { MeshReport } from '../../proto/session.js';
import type { NodeObject } from '../store/objects.js';

/** What a session tells of its node. */
export interface NodeReport {
  readonly description: NodeDescription;
  /** Empty while the Engine answers. */
  readonly engineError: string;
  /** As the hello says; a condition does not repeat them. */
  readonly addr?: string;
  readonly meshAddr?: string;
}

/** The state of a node whose agent is connected: with a dead Engine it can run nothing, and its tasks move. */
export const connectedStatus = (engineError: string): { readonly state: NodeState; readonly message: string } =>
  engineError === '' ? { state: 'ready', message: '' } : { state: 'down', message: `Docker Engine: ${engineError}` };

/** The row of a node after a report. What did not change stays the same object, so that it is no write. */
export function reportedNode(node: NodeObject, report: NodeReport): NodeObject {
  const status = { ...connectedStatus(report.engineError), addr: report.addr ?? node.status.addr };
  const meshAddr = report.meshAddr ?? node.meshAddr;
  return {
    ...node,
    description: keep(node.description, report.description),
    status: keep(node.status, status),
    ...(meshAddr === undefined ? {} : { meshAddr }),
  };
}

/** The row of a node after a report of its mesh. */
export const reportedPorts = (node: NodeObject, bindErrors: MeshReport['bindErrors']): NodeObject => ({
  ...node,
  portErrors: keep(node.portErrors, bindErrors),
});

/** `known` where `next` says the same. */
const keep = <T extends object>(known: T | undefined, next: T): T =>
  known !== undefined && JSON.stringify(known) === JSON.stringify(next) ? known : next;
