import type { NodeObject } from '../store/objects.js';
import { staticRefusal, unfitting } from './filters.js';
import type { Ledger } from './ledger.js';
import { OpenNode } from './open-node.js';
import type { Requirement } from './requirement.js';
import { type Parting, partNodes, SpreadTree } from './spread-tree.js';

/** Partings kept for one list of nodes. */
const KEPT = 64;

/** By the list of all nodes, which is another one as soon as a node changes, and `placementKey`. */
const PARTINGS = new WeakMap<readonly NodeObject[], Map<string, Parting>>();

/**
 * The nodes of a pass. Groups that ask for the same constraints, platforms and spreads share one
 * tree of nodes, so that a group of one task need not look at every node.
 */
export class NodePool {
  readonly nodes: readonly NodeObject[];
  readonly suspects: ReadonlySet<string>;
  readonly ledger: Ledger;
  /** Nodes that were looked at to make trees: what a pass has cost so far. */
  looks = 0;
  /** By the place of the node in `nodes`; undefined where it takes no new tasks. */
  readonly #open: readonly (OpenNode | undefined)[];
  readonly #partings: Map<string, Parting>;
  readonly #trees = new Map<string, SpreadTree>();
  #byId: ReadonlyMap<string, NodeObject> | undefined;

  /** `nodes` in the order of their ids. */
  constructor(nodes: readonly NodeObject[], ledger: Ledger, suspects: ReadonlySet<string>) {
    this.nodes = nodes;
    this.ledger = ledger;
    this.suspects = suspects;
    const anywhere = { conditions: [], platforms: [] };
    this.#open = nodes.map((node, order) =>
      staticRefusal(anywhere, { node, suspect: suspects.has(node.id) }) === undefined
        ? new OpenNode(node, order, ledger)
        : undefined,
    );
    this.#partings = PARTINGS.get(nodes) ?? new Map<string, Parting>();
    PARTINGS.set(nodes, this.#partings);
  }

  node(id: string): NodeObject | undefined {
    this.#byId ??= new Map(this.nodes.map((node) => [node.id, node]));
    return this.#byId.get(id);
  }

  /** The nodes that may take tasks of this requirement, whatever they have free. */
  tree(requirement: Requirement): SpreadTree {
    const known = this.#trees.get(requirement.placementKey);
    if (known !== undefined) return known;
    const tree = new SpreadTree(requirement.spreads, this.#parting(requirement), this.#open);
    this.#trees.set(requirement.placementKey, tree);
    return tree;
  }

  #parting(requirement: Requirement): Parting {
    const known = this.#partings.get(requirement.placementKey);
    if (known !== undefined) return known;
    this.looks += this.nodes.length;
    const members = this.nodes.flatMap((node, place) => (unfitting(requirement, node) === undefined ? place : []));
    const parting = partNodes(this.nodes, members, requirement.spreads);
    for (const oldest of this.#partings.keys()) {
      if (this.#partings.size < KEPT) break;
      this.#partings.delete(oldest);
    }
    this.#partings.set(requirement.placementKey, parting);
    return parting;
  }
}
