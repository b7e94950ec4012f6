import type { GenericResource, Platform } from '../../proto/engine/task-spec.js';
import type { NodeObject } from '../store/objects.js';
import { chooseGenerics, type GenericLack, lackOfGenerics } from './generic-resources.js';
import type { NodeAccount } from './ledger.js';
import { normalArchitecture } from './node-value.js';
import { type Requirement, resourcesOf, type Resources } from './requirement.js';

/** Why a node is refused for a task: one kind per filter. */
export type Refusal =
  | { readonly filter: 'ready'; readonly node: string; readonly cause: string }
  | {
      readonly filter: 'resources';
      readonly node: string;
      readonly free: Resources;
      readonly total: Resources;
      /** Asked only for the one node that is shown. */
      readonly reservedBy: () => readonly string[];
      /** Set when generic resources lack. */
      readonly generics?: GenericLack;
    }
  | { readonly filter: 'constraint'; readonly node: string; readonly constraint: string }
  | { readonly filter: 'platform'; readonly node: string; readonly platform: string }
  | { readonly filter: 'host-port'; readonly node: string; readonly hostPort: string }
  | { readonly filter: 'max-replicas'; readonly node: string };

export interface NodeState {
  readonly node: NodeObject;
  /** Its account, or the account as it would be after the placements of the group at hand. */
  readonly account: Pick<NodeAccount, 'reserved' | 'generics' | 'takes' | 'reservedBy'>;
  /** Tasks of the service there that shall live. */
  readonly serviceTasks: number;
  /** Its session broke and nobody knows yet whether it is lost: it gets no new work. */
  readonly suspect: boolean;
}

/** The first filter that refuses this node, or undefined when the task may go there. */
export const refusalOf = (requirement: Requirement, state: NodeState): Refusal | undefined =>
  staticRefusal(requirement, state) ?? dynamicRefusal(requirement, state);

/** Filters whose answer does not change while tasks are placed. */
export const staticRefusal = (
  requirement: Pick<Requirement, 'conditions' | 'platforms'>,
  state: Pick<NodeState, 'node' | 'suspect'>,
): Refusal | undefined => notReady(state) ?? unfitting(requirement, state.node);

/** Whether a node is of the wrong kind, whatever its state. */
export const unfitting = (
  requirement: Pick<Requirement, 'conditions' | 'platforms'>,
  node: NodeObject,
): Refusal | undefined => unwanted(requirement, node) ?? otherPlatform(requirement, node);

/** A node and what tasks have taken of it. */
type TakenState = Omit<NodeState, 'suspect'>;

/**
 * Whether the filters that look at what tasks have taken let a node pass. It is asked for each
 * placement, so it says yes or no and makes nothing that would explain.
 */
export const hasPlace = (requirement: Requirement, state: TakenState): boolean =>
  hasRoom(requirement, state) &&
  hasGenerics(requirement, state) &&
  takenPort(requirement, state) === undefined &&
  !isAtLimit(requirement, state);

/** The same filters with the reason. */
export const dynamicRefusal = (requirement: Requirement, state: TakenState): Refusal | undefined =>
  tooSmall(requirement, state) ?? portTaken(requirement, state) ?? tooMany(requirement, state);

function notReady({ node, suspect }: Pick<NodeState, 'node' | 'suspect'>): Refusal | undefined {
  const refuse = (cause: string): Refusal => ({ filter: 'ready', node: nameOf(node), cause });
  switch (node.status.state) {
    case 'down':
    case 'disconnected':
      return refuse(`is ${node.status.state}`);
    case 'unknown':
      return refuse('has not reported yet');
    case 'ready':
      break;
  }
  switch (node.spec.Availability) {
    case 'pause':
      return refuse('is paused');
    case 'drain':
      return refuse('is drained');
    case 'active':
      return suspect ? refuse('does not answer') : undefined;
  }
}

function tooSmall(requirement: Requirement, state: TakenState): Refusal | undefined {
  if (!hasRoom(requirement, state)) return noRoom(state);
  const { node, account } = state;
  const lack = lackOfGenerics(requirement.generics, genericsOf(node), account.generics, nameOf(node));
  return lack === undefined ? undefined : { ...noRoom(state), generics: lack };
}

const noRoom = ({ node, account }: TakenState): Extract<Refusal, { filter: 'resources' }> => ({
  filter: 'resources',
  node: nameOf(node),
  free: freeOf(node, account.reserved),
  total: resourcesOf(node.description?.Resources),
  reservedBy: () => account.reservedBy(),
});

/** What reserves nothing fits everywhere, also where a machine shrank under its tasks. */
function hasRoom({ reserved }: Requirement, { node, account }: TakenState): boolean {
  if (reserved.nanoCpus === 0 && reserved.memoryBytes === 0) return true;
  const total = node.description?.Resources;
  return (
    reserved.nanoCpus <= (total?.NanoCPUs ?? 0) - account.reserved.nanoCpus &&
    reserved.memoryBytes <= (total?.MemoryBytes ?? 0) - account.reserved.memoryBytes
  );
}

const hasGenerics = ({ generics }: Requirement, { node, account }: TakenState): boolean =>
  generics.length === 0 || chooseGenerics(generics, genericsOf(node), account.generics) !== undefined;

export const genericsOf = (node: NodeObject): readonly GenericResource[] =>
  node.description?.Resources.GenericResources ?? [];

/** The first constraint that does not hold. */
export function unwanted({ conditions }: Pick<Requirement, 'conditions'>, node: NodeObject): Refusal | undefined {
  const broken = conditions.find(({ holds }) => !holds(node));
  return broken === undefined ? undefined : { filter: 'constraint', node: nameOf(node), constraint: broken.text };
}

export function otherPlatform({ platforms }: Pick<Requirement, 'platforms'>, node: NodeObject): Refusal | undefined {
  const own = node.description?.Platform ?? {};
  if (platforms.length === 0 || platforms.some((wanted) => matches(wanted, own))) return undefined;
  return { filter: 'platform', node: nameOf(node), platform: `${own.OS ?? '?'}/${own.Architecture ?? '?'}` };
}

const takenPort = ({ hostPorts }: Requirement, { account }: TakenState): string | undefined =>
  hostPorts.length === 0 ? undefined : hostPorts.find((port) => account.takes(port));

function portTaken(requirement: Requirement, state: TakenState): Refusal | undefined {
  const hostPort = takenPort(requirement, state);
  return hostPort === undefined ? undefined : { filter: 'host-port', node: nameOf(state.node), hostPort };
}

const isAtLimit = ({ maxReplicas }: Requirement, { serviceTasks }: TakenState): boolean =>
  maxReplicas > 0 && serviceTasks >= maxReplicas;

const tooMany = (requirement: Requirement, state: TakenState): Refusal | undefined =>
  isAtLimit(requirement, state) ? { filter: 'max-replicas', node: nameOf(state.node) } : undefined;

/** What a node has minus what its tasks reserve. Negative when a machine shrank under its tasks. */
export function freeOf(node: NodeObject, reserved: Resources): Resources {
  const total = resourcesOf(node.description?.Resources);
  return {
    nanoCpus: total.nanoCpus - reserved.nanoCpus,
    memoryBytes: total.memoryBytes - reserved.memoryBytes,
  };
}

export const nameOf = (node: NodeObject): string => node.description?.Hostname ?? node.id;

/** An absent field of a wanted platform stands for every value. */
const matches = (wanted: Platform, own: Platform): boolean =>
  ((wanted.OS ?? '') === '' || wanted.OS?.toLowerCase() === own.OS?.toLowerCase()) &&
  ((wanted.Architecture ?? '') === '' ||
    normalArchitecture(wanted.Architecture ?? '') === normalArchitecture(own.Architecture ?? ''));
