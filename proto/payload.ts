import type { Assignment } from './assignment.js';
import { fileReferences } from './engine/file-references.js';
import { isDesiredAlive, isTerminal } from './engine/task-state.js';

/** Names one version of a secret or config. Its data never changes. */
export interface PayloadRef {
  readonly kind: 'secret' | 'config';
  readonly id: string;
}

/** The data of one version of a secret or config, in clear: on the mTLS session and in memory only. */
export interface Payload extends PayloadRef {
  readonly name: string;
  readonly data: Uint8Array;
  /** The data is a template. */
  readonly templated: boolean;
}

export const payloadKey = ({ kind, id }: PayloadRef): string => `${kind}:${id}`;

/**
 * What a node must hold to run a task: nothing once the task is to end or has ended. Both ends of a
 * session decide by this alone what the node holds.
 */
export function neededPayloads({ desiredState, status, spec }: Assignment): readonly PayloadRef[] {
  if (!isDesiredAlive(desiredState) || isTerminal(status.State)) return [];
  return fileReferences(spec.ContainerSpec).map(({ kind, id }) => ({ kind, id }));
}
