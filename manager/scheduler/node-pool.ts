import type { NodeObject } from '../store/objects.js';
import { BoundedMap } from './bounded-map.js';
import { type Refusal, staticRefusal } from './filters.js';
import type { Ledger } from './ledger.js';
import { OpenNode } from './open-node.js';
import { partingsOf } from './partings.js';
import type { Group, Placement } from './placement.js';
import type { Requirement } from './requirement.js';
import { Nursery, SpreadTree } from './spread-tree.js';

/** Trees kept. */
const KEPT = 128;

/** A group that has nodes of the pool in hand. */
export interface Search {
  isFor(group: Pick<Group, 'serviceId' | 'requirement'>): boolean;
  /** Nodes for the first of the tasks, in their order; fewer than tasks when no node takes the next one. */
  place(taskIds: readonly string[]): readonly Placement[];
  /** Why no node takes one more task. */
  reason(): string;
  /** Puts the nodes back. The search is over. */
  release(): void;
}

/**
 * The nodes as they stand for new tasks. Groups that ask for the same constraints, platforms and
 * spreads share one tree of nodes, so that a group of one task need not look at every node.
 *
 * Invariant: while a pool lives, nodes only get worse: what makes one better (a task that ended, a
 * node that came) asks for another pool.
 */
export class NodePool {
  readonly nodes: readonly NodeObject[];
  readonly suspects: ReadonlySet<string>;
  readonly ledger: Ledger;
  /** Nodes that were looked at whatever the heaps say: to make trees, and to explain. */
  looks = 0;
  /** By the place of the node in `nodes`; undefined where it takes no new tasks. */
  readonly #open: readonly (OpenNode | undefined)[];
  readonly #nursery: Nursery;
  /** By `placementKey`. */
  readonly #trees = new BoundedMap<SpreadTree>(KEPT);
  /** By `placementKey`; asked only to explain. */
  readonly #unfit = new BoundedMap<readonly (Refusal | undefined)[]>(KEPT);
  #places: ReadonlyMap<string, number> | undefined;
  /** At most one, so that all others see the heaps whole. */
  #search: Search | undefined;
  /** `ledger.revision` when all placements on the pool were booked. */
  #booked: number;

  /** `nodes` in the order of their ids. */
  constructor(nodes: readonly NodeObject[], ledger: Ledger, suspects: ReadonlySet<string>) {
    this.nodes = nodes;
    this.ledger = ledger;
    this.suspects = new Set(suspects);
    const anywhere = { conditions: [], platforms: [] };
    this.#open = nodes.map((node, order) =>
      staticRefusal(anywhere, { node, suspect: suspects.has(node.id) }) === undefined
        ? new OpenNode(node, order, ledger)
        : undefined,
    );
    this.#nursery = new Nursery(this.#open);
    this.#booked = ledger.revision;
  }

  /** Whether it still shows these nodes as they stand: nothing but its own placements was booked. */
  shows(nodes: readonly NodeObject[], ledger: Ledger, suspects: ReadonlySet<string>): boolean {
    return (
      this.nodes === nodes &&
      this.ledger === ledger &&
      this.#booked === ledger.revision &&
      this.suspects.size === suspects.size &&
      [...suspects].every((id) => this.suspects.has(id))
    );
  }

  /** To be told when the placements on the pool, and nothing else, were booked since the pool was made or last told. */
  booked(): void {
    this.#booked = this.ledger.revision;
  }

  node(id: string): NodeObject | undefined {
    return this.nodes[this.#placeOf(id)];
  }

  /** Undefined when it takes no new tasks. No search goes on after this. */
  openNode(id: string): OpenNode | undefined {
    this.#endSearch();
    return this.#open[this.#placeOf(id)];
  }

  /** Goes on with the search of a group, or ends that of another and begins one. */
  search(group: Pick<Group, 'serviceId' | 'requirement'>, begin: () => Search): Search {
    if (this.#search?.isFor(group) === true) return this.#search;
    this.#endSearch();
    this.#search = begin();
    return this.#search;
  }

  /** The nodes that may take tasks of this requirement, whatever they have free. */
  tree(requirement: Requirement): SpreadTree {
    const known = this.#trees.get(requirement.placementKey);
    if (known !== undefined) return known;
    this.looks += this.nodes.length;
    const tree = new SpreadTree(requirement.spreads, this.#nursery.branch(partingsOf(this.nodes).of(requirement)));
    this.#trees.set(requirement.placementKey, tree);
    return tree;
  }

  /** By the place of the node in `nodes`: why it takes none of these tasks, whatever it has free. */
  unfit(requirement: Requirement): readonly (Refusal | undefined)[] {
    const known = this.#unfit.get(requirement.placementKey);
    if (known !== undefined) return known;
    this.looks += this.nodes.length;
    const unfit = this.nodes.map((node) => staticRefusal(requirement, { node, suspect: this.suspects.has(node.id) }));
    this.#unfit.set(requirement.placementKey, unfit);
    return unfit;
  }

  #placeOf(id: string): number {
    this.#places ??= new Map(this.nodes.map((node, place) => [node.id, place]));
    return this.#places.get(id) ?? -1;
  }

  #endSearch(): void {
    this.#search?.release();
    this.#search = undefined;
  }
}
