import type { ContainerVerb } from './container-route.js';

/**
 * Ids of exec instances on other nodes: the Engine's id, a dot, the id of the node. So nothing has to be
 * remembered, and an exec outlives a restart of the daemon that made it.
 */
export interface RemoteExec {
  readonly execId: string;
  readonly nodeId: string;
}

const REMOTE = /^(?<execId>[0-9a-f]{64})\.(?<nodeId>[0-9a-z]{25})$/;

export function parseRemoteExec(reference: string): RemoteExec | undefined {
  const { execId, nodeId } = REMOTE.exec(reference)?.groups ?? {};
  return execId === undefined || nodeId === undefined ? undefined : { execId, nodeId };
}

/**
 * Names the node in each id of an exec instance of an answer. The text is changed in place: read and
 * written as JSON, the 64-bit numbers of an Engine would not come out as they were.
 */
export function nameNodeInExecIds(verb: ContainerVerb, body: string, nodeId: string): string {
  switch (verb) {
    case 'exec':
      return body.replace(/("Id"\s*:\s*"[0-9a-f]{64})"/, `$1.${nodeId}"`);
    case 'exec-inspect':
      return body.replace(/("ID"\s*:\s*"[0-9a-f]{64})"/, `$1.${nodeId}"`);
    case 'inspect':
      return body.replace(/"ExecIDs"\s*:\s*\[[^\]]*\]/, (list) => list.replace(/("[0-9a-f]{64})"/g, `$1.${nodeId}"`));
    case 'logs':
    case 'top':
    case 'stats':
    case 'archive':
    case 'attach':
    case 'resize':
    case 'wait':
    case 'kill':
    case 'exec-start':
    case 'exec-resize':
      return body;
  }
}

/** Whether an answer carries ids of exec instances. */
export const carriesExecIds = (verb: ContainerVerb): boolean =>
  verb === 'exec' || verb === 'exec-inspect' || verb === 'inspect';
