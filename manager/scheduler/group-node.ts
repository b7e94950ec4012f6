import type { GenericResource } from '../../proto/engine/task-spec.js';
import { dynamicRefusal, genericsOf, type Refusal } from './filters.js';
import { chooseGenerics, type GenericTally } from './generic-resources.js';
import type { OpenNode } from './open-node.js';
import type { Standing } from './rank.js';
import type { Requirement } from './requirement.js';

/** A node as it stands for one group of tasks, with those of the group placed on it so far. */
export class GroupNode implements Standing {
  readonly open: OpenNode;
  readonly failures: number;
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

  get reserved(): OpenNode['reserved'] {
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

  refusal(): Refusal | undefined {
    return dynamicRefusal(this.#requirement, { node: this.open.node, account: this, serviceTasks: this.serviceTasks });
  }

  /** Gives the node one more task of the group; it must not refuse it. Returns the generic resources it gets. */
  place(): readonly GenericResource[] | undefined {
    const { generics } = this.#requirement;
    this.#placed += 1;
    this.serviceTasks += 1;
    this.open.place(this.#requirement);
    if (generics.length === 0) return undefined;
    const given = chooseGenerics(generics, genericsOf(this.open.node), this.generics) ?? [];
    this.#generics ??= this.open.account.generics.clone();
    this.#generics.take(given);
    return given;
  }

  describe(): string {
    return `it had ${this.serviceTasks} tasks of the service and ${this.open.tasks} in all`;
  }
}
