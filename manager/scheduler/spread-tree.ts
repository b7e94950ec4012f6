import type { NodeAttribute } from '../../proto/engine/node-attribute.js';
import type { NodeObject } from '../store/objects.js';
import { NodeHeap } from './node-heap.js';
import { nodeValue } from './node-value.js';
import type { OpenNode } from './open-node.js';

/** The nodes with one value of a spread preference, parted further by the next one. */
export class Branch {
  readonly children = new Map<string, Branch>();
  /** Of a leaf: its nodes. */
  readonly nodes = new NodeHeap();
}

/**
 * Nodes parted by the values of spread preferences, level by level; without preferences all are in
 * one leaf. A node without a label is in the branch of the empty value, as SwarmKit has it.
 */
export class SpreadTree {
  readonly root = new Branch();
  readonly #spreads: readonly NodeAttribute[];

  constructor(spreads: readonly NodeAttribute[], nodes: readonly OpenNode[]) {
    this.#spreads = spreads;
    for (const open of nodes) this.#leafFor(open.node).nodes.add(open);
  }

  /** The branches that a node stands in, from the root; it need not be in the tree itself. */
  path(node: NodeObject): readonly Branch[] {
    const path = [this.root];
    let branch: Branch | undefined = this.root;
    for (const spread of this.#spreads) {
      branch = branch.children.get(nodeValue(node, spread));
      if (branch === undefined) break;
      path.push(branch);
    }
    return path;
  }

  #leafFor(node: NodeObject): Branch {
    return this.#spreads.reduce((branch, spread) => {
      const value = nodeValue(node, spread);
      const known = branch.children.get(value);
      if (known !== undefined) return known;
      const child = new Branch();
      branch.children.set(value, child);
      return child;
    }, this.root);
  }
}
