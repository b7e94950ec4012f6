import { BaleError } from '../../core/errors.js';
import type { AgentMessage } from '../../proto/session.js';

/** Why a manager ends a session or refuses it, in the words its agent gets. */

export const sessionReplaced = (nodeId: string): BaleError =>
  new BaleError(`node ${nodeId} opened another session; do two daemons run with one identity?`, {
    kind: 'unavailable',
    code: 'BALE_SESSION_REPLACED',
  });

export const sessionSilent = (ms: number): BaleError =>
  new BaleError(`no hello came within ${ms / 1000} s`, { kind: 'unavailable', code: 'BALE_SESSION_SILENT' });

export const sessionOrder = (kind: AgentMessage['kind'], first: boolean): BaleError =>
  new BaleError(first ? `a session begins with a hello, not with "${kind}"` : 'a session has one hello', {
    kind: 'invalid',
    code: 'BALE_SESSION_ORDER',
  });

export const sessionFlood = (nodeId: string, reason: string): BaleError =>
  new BaleError(`node ${nodeId} must wait before its next session: ${reason}`, {
    kind: 'unavailable',
    code: 'BALE_SESSION_FLOOD',
  });

export const nodeUnknown = (nodeId: string): BaleError =>
  new BaleError(
    `this cluster does not know node ${nodeId}; on that node, run "bale swarm leave --force" and join again`,
    { kind: 'not-found', code: 'BALE_NODE_UNKNOWN' },
  );

export const nodeRemoved = (nodeId: string): BaleError =>
  new BaleError(
    `node ${nodeId} was removed from the cluster; on that node, run "bale swarm leave --force" and join again`,
    { kind: 'forbidden', code: 'BALE_NODE_REMOVED' },
  );

/** The agent keeps its tasks and tries again. */
export const managerStops = (): BaleError =>
  new BaleError('the manager stops', { kind: 'unavailable', code: 'BALE_MANAGER_STOPS' });
