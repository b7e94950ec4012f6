import { genericsOf, hasPlace } from './filters.js';
import { chooseGenerics, type GenericTally } from './generic-resources.js';
import type { OpenNode } from './open-node.js';
import { type Placement, RankedPlacement } from './placement.js';
import type { Standing } from './rank.js';
import type { Requirement, Resources } from './requirement.js';

/** A node as it stands for one group of tasks, with those of the group placed on it so far. */
export class GroupNode implements Standing {
  readonly open: OpenNode;
  readonly failures: number;
  /** Tasks of the service there that shall live. */
  serviceTasks: number;
  readonly #requirement: Requirement;
  #generics: GenericTally | undefined;
  #placed = 0;

  constructor(open: OpenNode, requirement: Requirement, serviceTasks: number, failures: number) {
    this.open = open;
    this.failures = failures;
    this.serviceTasks = serviceTasks;
    this.#requirement = requirement;
  }

  get key(): number {
    return this.open.key;
  }

  get node(): OpenNode['node'] {
    return this.open.node;
  }

  /** The node as filters look at it. */
  get account(): this {
    return this;
  }

  get reserved(): Resources {
    return this.open.reserved;
  }

  get generics(): GenericTally {
    return this.#generics ?? this.open.account.generics;
  }

  reservedBy(): readonly string[] {
    return this.open.account.reservedBy();
  }

  /** A host port of the group is taken as soon as one of its tasks is here. */
  takes(hostPort: string): boolean {
    return this.#placed > 0 || this.open.account.takes(hostPort);
  }

  takesOneMore(): boolean {
    return hasPlace(this.#requirement, this);
  }

  /** Gives the node one more task of the group, which it must take. */
  place(taskId: string): Placement {
    const placement = new RankedPlacement(taskId, this.open.node.id, this.serviceTasks, this.open.tasks);
    this.#placed += 1;
    this.serviceTasks += 1;
    this.open.place(this.#requirement);
    const { generics } = this.#requirement;
    if (generics.length > 0) {
      placement.generics = chooseGenerics(generics, genericsOf(this.open.node), this.generics) ?? [];
      this.#generics ??= this.open.account.generics.clone();
      this.#generics.take(placement.generics);
    }
    return placement;
  }
}
