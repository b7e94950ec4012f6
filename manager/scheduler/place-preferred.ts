import { isTerminal } from '../../proto/engine/task-state.js';
import { shallLive } from '../drain/task-wish.js';
import type { NodeObject, TaskObject, VolumesLeft } from '../store/objects.js';
import { explainCauses } from './explain.js';
import { dynamicRefusal, genericsOf, nameOf, type Refusal, staticRefusal, unfitting } from './filters.js';
import { chooseGenerics } from './generic-resources.js';
import type { Ledger } from './ledger.js';
import type { Placement } from './placement.js';
import type { Requirement } from './requirement.js';
import type { VolumeHome } from './volume-home.js';

/** A task that has data on one node. */
export interface Homecomer {
  readonly task: TaskObject;
  readonly home: VolumeHome;
  readonly requirement: Requirement;
  /** All tasks of its slot. */
  readonly slot: readonly TaskObject[];
}

export interface HomeSite {
  /** Undefined: it was removed. */
  readonly node: NodeObject | undefined;
  readonly ledger: Ledger;
  readonly suspects: ReadonlySet<string>;
}

export type HomeDecision =
  | { readonly kind: 'place'; readonly placement: Placement }
  /** What is in the way there is about to end: data is worth the wait. */
  | { readonly kind: 'wait'; readonly reason: string }
  /** Any other node will do. `cause` says why it is not the node that has the data. */
  | { readonly kind: 'elsewhere'; readonly cause: string };

/** A task goes back to the node that has its volumes, if that node takes it. */
export function placeAtHome({ task, home, requirement, slot }: Homecomer, site: HomeSite): HomeDecision {
  const { node, ledger } = site;
  if (node === undefined) {
    return { kind: 'elsewhere', cause: `node ${home.nodeId}, which was removed from the swarm` };
  }
  const name = nameOf(node);
  if (isAway(node) && unfitting(requirement, node) === undefined) {
    return { kind: 'wait', reason: `${name} has its volume data; its daemon was stopped and is waited for` };
  }
  const refused = staticRefusal(requirement, { node, suspect: false });
  if (refused !== undefined) return { kind: 'elsewhere', cause: `${name}, ${why(requirement, refused)}` };
  if (site.suspects.has(node.id)) {
    return { kind: 'wait', reason: `${name} has its volume data and does not answer; it is about to be back or down` };
  }
  const account = ledger.account(node.id);
  const full = dynamicRefusal(requirement, { node, account, serviceTasks: account.tasksOf(task.serviceId) });
  if (full !== undefined) {
    if (slot.some((other) => other.id !== task.id && isLeaving(other, node.id))) {
      return { kind: 'wait', reason: `${name} has its volume data; the old task of its slot is still stopping there` };
    }
    return { kind: 'elsewhere', cause: `${name}, ${why(requirement, full)}` };
  }
  const { generics } = requirement;
  const given =
    generics.length === 0 ? {} : { generics: chooseGenerics(generics, genericsOf(node), account.generics) ?? [] };
  const reason = `${name} has its volume data`;
  return { kind: 'place', placement: { taskId: task.id, nodeId: node.id, reason, ...given } };
}

/** What a task is told that comes to `node` although its data is elsewhere. */
export function leftVolumes({ task, home }: Homecomer, cause: string, node: NodeObject | undefined): VolumesLeft {
  const what = `volume data of ${task.serviceName}.${task.slot} (${home.volumes.join(', ')})`;
  const there = node === undefined ? 'another node' : nameOf(node);
  return { ...home, warning: `${what} is on ${cause}: started on ${there} without it` };
}

/** Its daemon said goodbye, as at an upgrade: the node is not lost. */
const isAway = ({ status, spec }: NodeObject): boolean =>
  status.state === 'disconnected' && spec.Availability === 'active';

/** It holds its room until it has ended. */
const isLeaving = (task: TaskObject, nodeId: string): boolean =>
  task.nodeId === nodeId && !isTerminal(task.status.State) && !shallLive(task);

const why = (requirement: Requirement, refusal: Refusal): string =>
  refusal.filter === 'ready'
    ? `which ${refusal.cause}`
    : `which does not take it (${explainCauses(requirement, [refusal])})`;
