import type { NodeObject } from '../store/objects.js';
import { explain } from './explain.js';
import type { GenericResource } from '../../proto/engine/task-spec.js';
import { genericsOf, type Refusal, refusalOf } from './filters.js';
import { chooseGenerics, type GenericTally } from './generic-resources.js';
import { Heap } from './heap.js';
import type { NodeAccount } from './ledger.js';
import { compareStandings, type Standing } from './rank.js';
import { type Requirement, resourcesOf, type Resources } from './requirement.js';

/** Tasks that are alike: of one version of one service. */
export interface Group {
  readonly serviceId: string;
  readonly requirement: Requirement;
  /** In the order in which they shall get a node. */
  readonly taskIds: readonly string[];
}

export interface Candidate {
  readonly node: NodeObject;
  readonly account: NodeAccount;
  /** Its session broke: no new work. */
  readonly suspect: boolean;
  /** Recent failures of this version of the service on it. */
  readonly failures: number;
}

export interface Placement {
  readonly taskId: string;
  readonly nodeId: string;
  /** What the task gets of the node's generic resources; absent when it asks for none. */
  readonly generics?: readonly GenericResource[];
  readonly reason: string;
}

export interface GroupDecision {
  readonly placements: readonly Placement[];
  /** Tasks that no node takes, with the reason; absent when there are none. */
  readonly waiting?: { readonly taskIds: readonly string[]; readonly reason: string };
}

/**
 * Chooses nodes for a group: each task goes to the node that stands best, counting the ones placed
 * before it. One pass of the filters over the nodes and one step of a heap for each task.
 */
export function placeGroup(group: Group, candidates: readonly Candidate[]): GroupDecision {
  const refusals: Refusal[] = [];
  const open: OpenNode[] = [];
  for (const candidate of candidates) {
    const node = new OpenNode(group, candidate);
    const refusal = node.refusal();
    if (refusal === undefined) open.push(node);
    else refusals.push(refusal);
  }
  const heap = new Heap(open, compareStandings);
  const placements: Placement[] = [];
  for (const taskId of group.taskIds) {
    const best = heap.first;
    if (best === undefined) break;
    const reason = best.describe();
    const generics = best.place();
    placements.push({ taskId, nodeId: best.nodeId, reason, ...(generics === undefined ? {} : { generics }) });
    const refusal = best.refusal();
    if (refusal === undefined) heap.lowerFirst();
    else {
      refusals.push(refusal);
      heap.removeFirst();
    }
  }
  const taskIds = group.taskIds.slice(placements.length);
  if (taskIds.length === 0) return { placements };
  return { placements, waiting: { taskIds, reason: explain(group.requirement, refusals) } };
}

/** A node with the placements of the group at hand on top of its account. */
class OpenNode implements Standing {
  readonly nodeId: string;
  readonly failures: number;
  readonly total: Resources;
  serviceTasks: number;
  tasks: number;
  reserved: Resources;
  #generics: GenericTally | undefined;
  readonly #group: Group;
  readonly #candidate: Candidate;
  #placed = 0;

  constructor(group: Group, candidate: Candidate) {
    const { node, account } = candidate;
    this.nodeId = node.id;
    this.failures = candidate.failures;
    this.total = resourcesOf(node.description?.Resources);
    this.serviceTasks = account.tasksOf(group.serviceId);
    this.tasks = account.tasks;
    this.reserved = account.reserved;
    this.#group = group;
    this.#candidate = candidate;
  }

  refusal(): Refusal | undefined {
    return refusalOf(this.#group.requirement, {
      node: this.#candidate.node,
      suspect: this.#candidate.suspect,
      account: this,
      serviceTasks: this.serviceTasks,
    });
  }

  /** As `NodeAccount.takes`, with the group's own ports once one of its tasks is here. */
  takes(hostPort: string): boolean {
    const own = this.#placed > 0 && this.#group.requirement.hostPorts.includes(hostPort);
    return own || this.#candidate.account.takes(hostPort);
  }

  /** As the account's, with what the group's own tasks here were given. */
  get generics(): GenericTally {
    return this.#generics ?? this.#candidate.account.generics;
  }

  reservedBy(): readonly string[] {
    return this.#candidate.account.reservedBy();
  }

  /** Gives the node one more task of the group; it must not refuse it. Returns the generic resources it gets. */
  place(): readonly GenericResource[] | undefined {
    const { reserved, generics: needs } = this.#group.requirement;
    this.#placed += 1;
    this.serviceTasks += 1;
    this.tasks += 1;
    this.reserved = {
      nanoCpus: this.reserved.nanoCpus + reserved.nanoCpus,
      memoryBytes: this.reserved.memoryBytes + reserved.memoryBytes,
    };
    if (needs.length === 0) return undefined;
    const given = chooseGenerics(needs, genericsOf(this.#candidate.node), this.generics) ?? [];
    this.#generics ??= this.#candidate.account.generics.clone();
    this.#generics.take(given);
    return given;
  }

  describe(): string {
    return `it had ${this.serviceTasks} tasks of the service and ${this.tasks} in all`;
  }
}
