import type { NodeObject } from '../store/objects.js';
import type { Ledger, NodeAccount } from './ledger.js';
import { generalKey } from './rank.js';
import { resourcesOf, type Requirement, type Resources } from './requirement.js';

/**
 * A node that takes new tasks, as it would be after the placements of a pass so far. Groups and
 * heaps share it.
 */
export class OpenNode {
  readonly node: NodeObject;
  readonly total: Resources;
  /** Changed in place: it is read for each placement. */
  readonly reserved: { nanoCpus: number; memoryBytes: number };
  tasks: number;
  /** See `generalKey`; grows with each placement. */
  key: number;
  /** Its place in the list of all nodes. */
  readonly order: number;
  readonly #ledger: Ledger;

  constructor(node: NodeObject, order: number, ledger: Ledger) {
    const { reserved, tasks } = ledger.account(node.id);
    this.node = node;
    this.total = resourcesOf(node.description?.Resources);
    this.reserved = { ...reserved };
    this.tasks = tasks;
    this.order = order;
    this.#ledger = ledger;
    this.key = generalKey(this.total, reserved, tasks, order);
  }

  /** As booked: what the group at hand places is booked after it. */
  get account(): NodeAccount {
    return this.#ledger.account(this.node.id);
  }

  place({ reserved }: Requirement): void {
    this.tasks += 1;
    this.reserved.nanoCpus += reserved.nanoCpus;
    this.reserved.memoryBytes += reserved.memoryBytes;
    this.key = generalKey(this.total, this.reserved, this.tasks, this.order);
  }
}
