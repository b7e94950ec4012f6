import type { NodeObject } from '../store/objects.js';
import { staticRefusal } from './filters.js';
import type { Ledger } from './ledger.js';
import { OpenNode } from './open-node.js';
import type { Requirement } from './requirement.js';
import { SpreadTree } from './spread-tree.js';

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
  readonly #byId: ReadonlyMap<string, NodeObject>;
  readonly #ready: readonly OpenNode[];
  readonly #trees = new Map<string, SpreadTree>();

  /** `nodes` in the order of their ids. */
  constructor(nodes: readonly NodeObject[], ledger: Ledger, suspects: ReadonlySet<string>) {
    this.nodes = nodes;
    this.ledger = ledger;
    this.suspects = suspects;
    this.#byId = new Map(nodes.map((node) => [node.id, node]));
    const open = { conditions: [], platforms: [] };
    this.#ready = nodes.flatMap((node, order) =>
      staticRefusal(open, { node, suspect: suspects.has(node.id) }) === undefined
        ? new OpenNode(node, order, ledger)
        : [],
    );
  }

  node(id: string): NodeObject | undefined {
    return this.#byId.get(id);
  }

  /** The nodes that may take tasks of this requirement, whatever they have free. */
  tree(requirement: Requirement): SpreadTree {
    const known = this.#trees.get(requirement.placementKey);
    if (known !== undefined) return known;
    this.looks += this.#ready.length;
    const fitting = this.#ready.filter(({ node }) => staticRefusal(requirement, { node, suspect: false }) === undefined);
    const tree = new SpreadTree(requirement.spreads, fitting);
    this.#trees.set(requirement.placementKey, tree);
    return tree;
  }
}
