import type { GenericResource } from '../../proto/engine/task-spec.js';
import type { VolumesLeft } from '../store/objects.js';
import type { Requirement } from './requirement.js';

/** Tasks that are alike: of one version of one service. */
export interface Group {
  readonly serviceId: string;
  readonly requirement: Requirement;
  /** In the order in which they shall get a node. */
  readonly taskIds: readonly string[];
  /** The one node that they are for. */
  readonly pinnedTo?: string | undefined;
}

export interface Placement {
  readonly taskId: string;
  readonly nodeId: string;
  /** What the task gets of the node's generic resources; absent when it asks for none. */
  readonly generics?: readonly GenericResource[];
  readonly reason: string;
  /** Data of its slot stays on another node. */
  readonly volumesLeft?: VolumesLeft;
}

/** The choice of the node that stood best. Its reason is put into words only for who reads it. */
export class RankedPlacement implements Placement {
  readonly taskId: string;
  readonly nodeId: string;
  generics?: readonly GenericResource[];
  readonly #serviceTasks: number;
  readonly #tasks: number;

  /** `serviceTasks`, `tasks`: what the node had before. */
  constructor(taskId: string, nodeId: string, serviceTasks: number, tasks: number) {
    this.taskId = taskId;
    this.nodeId = nodeId;
    this.#serviceTasks = serviceTasks;
    this.#tasks = tasks;
  }

  get reason(): string {
    return `it had ${this.#serviceTasks} tasks of the service and ${this.#tasks} in all`;
  }

  /** For the log. */
  toJSON(): Placement {
    const { taskId, nodeId, generics, reason } = this;
    return { taskId, nodeId, reason, ...(generics === undefined ? {} : { generics }) };
  }
}

export interface GroupDecision {
  /** For the first of the tasks, in their order. */
  readonly placements: readonly Placement[];
  /** The other tasks, which no node takes, with the reason; absent when there are none. */
  readonly waiting?: { readonly taskIds: readonly string[]; readonly reason: string };
}
