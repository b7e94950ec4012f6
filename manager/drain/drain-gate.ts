/** What the mesh of one live node says of one task. Nodes that are down are left out: nobody waits for them. */
export interface MeshFact {
  /** Its hostname, for the user. */
  readonly node: string;
  /** The newest table it acknowledged; 0 = none yet. */
  readonly acked: number;
  /** Requests and connections under way to the task through it. */
  readonly inFlight: number;
}

export interface DrainFacts {
  /** Why nothing can be under way on the task (it does not run, its node is lost…); absent when something can. */
  readonly idleBecause?: string;
  /** Hostname of the task's node. */
  readonly node: string;
  /** The first endpoint table in which it is not active. */
  readonly table: number;
  readonly meshes: readonly MeshFact[];
  readonly since: number;
  readonly deadline: number;
  readonly now: number;
}

export type DrainVerdict =
  | { readonly kind: 'wait'; readonly reason: string; readonly wakeAt: number }
  | { readonly kind: 'go'; readonly reason: string }
  | { readonly kind: 'go-with-warning'; readonly reason: string };

/**
 * Whether a task that drains may be stopped: every live mesh has acknowledged a table in which it is
 * not active, and nothing is under way on it; or its deadline has passed.
 */
export function judgeDrain(facts: DrainFacts): DrainVerdict {
  if (facts.idleBecause !== undefined) return { kind: 'go', reason: facts.idleBecause };
  const { meshes, now, deadline, since, node } = facts;
  const behind = meshes.filter(({ acked }) => acked < facts.table);
  const inFlight = meshes.reduce((sum, mesh) => sum + mesh.inFlight, 0);
  if (behind.length === 0 && inFlight === 0) {
    return {
      kind: 'go',
      reason: `nothing new is routed to it by ${count(meshes.length, 'mesh', 'meshes')}, nothing is in flight`,
    };
  }
  const waits = [
    ...(behind.length > 0 ? [waitingForMeshes(behind)] : []),
    ...(inFlight > 0 ? [`${count(inFlight, 'request', 'requests')} in flight`] : []),
  ].join(', ');
  if (now >= deadline) {
    return {
      kind: 'go-with-warning',
      reason: `its drain deadline of ${seconds(deadline - since)} has passed: ${waits}`,
    };
  }
  return { kind: 'wait', reason: `draining on ${node}, ${waits}, ${seconds(deadline - now)} left`, wakeAt: deadline };
}

export interface ActivationFacts {
  /** Why the task cannot be active whatever the meshes say; absent when it runs. */
  readonly inactiveBecause?: string;
  /** Connections reach it through meshes. */
  readonly routed: boolean;
  /** The first endpoint table in which it is active. */
  readonly table: number;
  readonly meshes: readonly MeshFact[];
  /** Until when a mesh that lags is waited for, ms since the epoch. */
  readonly patience: number;
  readonly now: number;
}

export type Activation =
  | { readonly kind: 'active'; readonly reason: string }
  | { readonly kind: 'wait'; readonly reason: string; readonly wakeAt?: number };

/** Whether a new task counts as one that serves: it runs, and every live mesh routes to it. */
export function judgeActivation(facts: ActivationFacts): Activation {
  if (facts.inactiveBecause !== undefined) return { kind: 'wait', reason: facts.inactiveBecause };
  if (!facts.routed) return { kind: 'active', reason: 'it runs' };
  const behind = facts.meshes.filter(({ acked }) => acked < facts.table);
  if (behind.length === 0) return { kind: 'active', reason: 'it runs and every live mesh routes to it' };
  const waits = waitingForMeshes(behind);
  if (facts.now >= facts.patience) return { kind: 'active', reason: `it runs; given up ${waits}` };
  return { kind: 'wait', reason: `running, ${waits}`, wakeAt: facts.patience };
}

/** More names than this are not read by anybody. */
const NAMES = 3;

function waitingForMeshes(behind: readonly MeshFact[]): string {
  const names = behind.slice(0, NAMES).map(({ node }) => node);
  const more = behind.length - names.length;
  return `waiting for the mesh of ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const count = (amount: number, one: string, many: string): string => `${amount} ${amount === 1 ? one : many}`;

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;
