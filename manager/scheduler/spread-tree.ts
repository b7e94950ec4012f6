import type { NodeAttribute } from '../../proto/engine/node-attribute.js';
import type { NodeObject } from '../store/objects.js';
import { KeyHeap } from './key-heap.js';
import { nodeValue } from './node-value.js';
import type { OpenNode } from './open-node.js';

/** The nodes with one value of a spread preference, parted further by the next one. */
export class Branch {
  /** By value. */
  readonly children: ReadonlyMap<string, Branch>;
  /** The children again, that with the best node first. */
  readonly order = new KeyHeap<Branch>();
  /** Of a leaf: its nodes, the best first. */
  readonly nodes = new KeyHeap<OpenNode>();
  constructor(children: ReadonlyMap<string, Branch>, nodes: readonly OpenNode[]) {
    this.children = children;
    for (const child of children.values()) this.order.add(child);
    for (const node of nodes) this.nodes.add(node);
  }

  /** That of the best node below; infinite when there is none. */
  get key(): number {
    return this.children.size === 0 ? this.nodes.leastKey : this.order.leastKey;
  }
}

/** Which nodes stand together: worked out once for a list of nodes. */
export interface Parting {
  /** Places in the list of all nodes. */
  readonly members: readonly number[];
  readonly parts: ReadonlyMap<string, Parting>;
}

/** Parts nodes by the values of spread preferences, level by level. */
export function partNodes(
  nodes: readonly NodeObject[],
  members: readonly number[],
  spreads: readonly NodeAttribute[],
): Parting {
  const [spread, ...others] = spreads;
  if (spread === undefined) return { members, parts: new Map() };
  const byValue = new Map<string, number[]>();
  for (const place of members) {
    const node = nodes[place];
    if (node === undefined) continue;
    const value = nodeValue(node, spread);
    const known = byValue.get(value);
    if (known === undefined) byValue.set(value, [place]);
    else known.push(place);
  }
  return {
    members: [],
    parts: new Map([...byValue].map(([value, inner]) => [value, partNodes(nodes, inner, others)])),
  };
}

/**
 * Nodes parted by the values of spread preferences; without preferences all are in one leaf. A node
 * without a label is in the branch of the empty value, as SwarmKit has it.
 */
export class SpreadTree {
  readonly root: Branch;
  readonly #spreads: readonly NodeAttribute[];

  /** `open`: the nodes that take new tasks, by their place in the list of all. */
  constructor(spreads: readonly NodeAttribute[], parting: Parting, open: readonly (OpenNode | undefined)[]) {
    this.#spreads = spreads;
    this.root = grow(parting, open);
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

const grow = ({ members, parts }: Parting, open: readonly (OpenNode | undefined)[]): Branch =>
  new Branch(
    new Map([...parts].map(([value, part]) => [value, grow(part, open)])),
    members.flatMap((place) => open[place] ?? []),
  );
