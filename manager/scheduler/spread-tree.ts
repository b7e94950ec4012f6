import type { NodeAttribute } from '../../proto/engine/node-attribute.js';
import type { NodeObject } from '../store/objects.js';
import { KeyHeap } from './key-heap.js';
import { nodeValue } from './node-value.js';
import type { OpenNode } from './open-node.js';
import type { Parting } from './partings.js';

/** The nodes with one value of a spread preference, parted further by the next one. */
export class Branch {
  /** By value. */
  readonly children: ReadonlyMap<string, Branch>;
  /** The children again, that with the best node first. */
  readonly order = new KeyHeap<Branch>();
  /** Of a leaf: its nodes, the best first. */
  readonly nodes = new KeyHeap<OpenNode>();

  constructor(children: ReadonlyMap<string, Branch>) {
    this.children = children;
    for (const child of children.values()) this.order.add(child);
  }

  /** That of the best node below; infinite when there is none. */
  get key(): number {
    return this.children.size === 0 ? this.nodes.leastKey : this.order.leastKey;
  }
}

/**
 * Nodes parted by the values of spread preferences; without preferences all are in one leaf. A node
 * without a label is in the branch of the empty value, as SwarmKit has it.
 */
export class SpreadTree {
  readonly root: Branch;
  readonly #spreads: readonly NodeAttribute[];

  constructor(spreads: readonly NodeAttribute[], root: Branch) {
    this.#spreads = spreads;
    this.root = root;
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
}

/** Makes the branches of a pool. Trees share those that hold the same nodes: what gets worse is put in its place once. */
export class Nursery {
  readonly #branches = new WeakMap<Parting, Branch>();
  readonly #open: readonly (OpenNode | undefined)[];

  /** `open`: the nodes that take new tasks, by their place in the list of all. */
  constructor(open: readonly (OpenNode | undefined)[]) {
    this.#open = open;
  }

  branch(parting: Parting): Branch {
    const known = this.#branches.get(parting);
    if (known !== undefined) return known;
    const branch = new Branch(new Map([...parting.parts].map(([value, part]) => [value, this.branch(part)])));
    for (const place of parting.members) {
      const node = this.#open[place];
      if (node !== undefined) branch.nodes.add(node);
    }
    this.#branches.set(parting, branch);
    return branch;
  }
}
