import type { Assignment } from './assignment.js';
import { fileReferences } from './engine/file-references.js';
import { isDesiredAlive, isTerminal, stateOrder } from './engine/task-state.js';

/** Names one version of a secret or config, or one set of registry credentials. Its data never changes. */
export interface PayloadRef {
  readonly kind: 'secret' | 'config' | 'registry-auth';
  readonly id: string;
}

/**
 * What a `PayloadRef` names, in clear: on the mTLS session and in memory only. Registry credentials are an
 * AuthConfig as JSON.
 */
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
export function neededPayloads(assignment: Assignment): readonly PayloadRef[] {
  const { desiredState, status, spec } = assignment;
  if (!isDesiredAlive(desiredState) || isTerminal(status.State)) return [];
  return [...fileReferences(spec.ContainerSpec).map(({ kind, id }) => ({ kind, id })), ...registryAuthOf(assignment)];
}

/** The credentials that a task pulls with: none once it has its image. */
const registryAuthOf = ({
  registryAuth,
  status,
}: Pick<Assignment, 'registryAuth' | 'status'>): readonly PayloadRef[] =>
  registryAuth === undefined || stateOrder(status.State) >= stateOrder('ready')
    ? []
    : [{ kind: 'registry-auth', id: registryAuth }];
