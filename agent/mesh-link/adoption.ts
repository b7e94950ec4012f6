import type { MeshConfig } from '../mesh/messages.js';

export type Adoption =
  { readonly kind: 'adopt'; readonly reason: string } | { readonly kind: 'replace'; readonly reason: string };

/** What a running mesh cannot change: it must be started anew for another value. */
const FIXED = ['nodeId', 'clusterId', 'identityFile', 'listenAddr', 'publishAddr'] as const;

/**
 * Whether a mesh that answers on the socket is the one this daemon wants. It is adopted across
 * restarts and upgrades of the daemon, since replacing it cuts long connections; another node's, or
 * one with other addresses, is replaced.
 *
 * `startedWith` is the config file as it was before this daemon; undefined when there was none.
 */
export function decideAdoption(
  runningNodeId: string,
  startedWith: Partial<MeshConfig> | undefined,
  wanted: MeshConfig,
): Adoption {
  if (runningNodeId !== wanted.nodeId) {
    return { kind: 'replace', reason: `the running mesh is that of node ${runningNodeId}` };
  }
  const changed = startedWith === undefined ? undefined : FIXED.find((field) => startedWith[field] !== wanted[field]);
  if (changed !== undefined) {
    return {
      kind: 'replace',
      reason: `${changed} is now ${wanted[changed]}, it was ${String(startedWith?.[changed])}`,
    };
  }
  return { kind: 'adopt', reason: 'a mesh of this node runs already' };
}
