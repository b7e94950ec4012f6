import type { GroupNode } from './group-node.js';
import { Heap } from './heap.js';
import type { OpenNode } from './open-node.js';
import { compareStandings, failureRank, type Standing } from './rank.js';
import type { Branch, SpreadTree } from './spread-tree.js';

/** What of a node depends on the group. */
export interface GroupFacts {
  readonly serviceTasksOn: (nodeId: string) => number;
  readonly failuresOn: (nodeId: string) => number;
  readonly enter: (open: OpenNode, serviceTasks: number, failures: number) => GroupNode;
}

/**
 * A branch as one group sees it. A leaf gives out its nodes in two runs: those that the service has
 * nothing to do with yet, straight from the heap that all groups share; then those that have tasks
 * of it, or where it kept failing.
 *
 * Invariant: `release` puts every node that was taken off the shared heap back.
 */
export class GroupBranch {
  /** Tasks of the service below it that shall live. */
  count: number;
  readonly #branch: Branch;
  readonly #facts: GroupFacts;
  readonly #children: readonly GroupBranch[];
  readonly #taken: OpenNode[] = [];
  #known: Heap<GroupNode> | undefined;
  /** The first of the shared heap, once it was found to take the group. */
  #fresh: GroupNode | undefined;
  #best: Standing | undefined;
  #settled = false;

  constructor(branch: Branch, counts: ReadonlyMap<Branch, number>, facts: GroupFacts) {
    this.#branch = branch;
    this.#facts = facts;
    this.count = counts.get(branch) ?? 0;
    this.#children = [...branch.children.values()].map((child) => new GroupBranch(child, counts, facts));
  }

  /** How the node stands that its next task would go to; undefined when nothing below takes one more. */
  best(): Standing | undefined {
    if (!this.#settled) {
      this.#best = this.#children.length === 0 ? this.#leafBest() : this.#child()?.best();
      this.#settled = true;
    }
    return this.#best;
  }

  /** Hands one task to the best node below; `best` must have found one. `give` does the placing. */
  place(give: (node: GroupNode) => void): void {
    this.#settled = false;
    this.count += 1;
    const child = this.#child();
    if (child === undefined) this.#placeHere(give);
    else child.place(give);
  }

  release(): void {
    for (const open of this.#taken) this.#branch.nodes.add(open);
    for (const child of this.#children) child.release();
  }

  /** Of the children that take one more, the one with fewest tasks of the service; of equals the one with the best node. */
  #child(): GroupBranch | undefined {
    let chosen: GroupBranch | undefined;
    let standing: Standing | undefined;
    for (const child of this.#children) {
      if (chosen !== undefined && child.count > chosen.count) continue;
      const own = child.best();
      if (own === undefined) continue;
      if (chosen === undefined || standing === undefined || child.count < chosen.count || compareStandings(own, standing) < 0) {
        chosen = child;
        standing = own;
      }
    }
    return chosen;
  }

  #leafBest(): Standing | undefined {
    this.#fresh ??= this.#nextFresh();
    if (this.#fresh !== undefined) return this.#fresh;
    while (this.#known?.first !== undefined && this.#known.first.refusal() !== undefined) this.#known.removeFirst();
    return this.#known?.first;
  }

  /** Takes nodes off the shared heap until one fits that the service has nothing to do with. */
  #nextFresh(): GroupNode | undefined {
    const { serviceTasksOn, failuresOn, enter } = this.#facts;
    for (let open = this.#branch.nodes.first; open !== undefined; open = this.#branch.nodes.first) {
      this.#branch.nodes.removeFirst();
      this.#taken.push(open);
      const { id } = open.node;
      const node = enter(open, serviceTasksOn(id), failuresOn(id));
      if (node.refusal() !== undefined) continue;
      if (node.serviceTasks === 0 && failureRank(node.failures) === 0) return node;
      this.#know(node);
    }
    return undefined;
  }

  #placeHere(give: (node: GroupNode) => void): void {
    const fresh = this.#fresh;
    if (fresh !== undefined) {
      give(fresh);
      this.#fresh = undefined;
      this.#know(fresh);
      return;
    }
    const first = this.#known?.first;
    if (first === undefined) return;
    give(first);
    this.#known?.lowerFirst();
  }

  #know(node: GroupNode): void {
    this.#known ??= new Heap<GroupNode>([], compareStandings);
    this.#known.add(node);
  }
}

/** How many tasks of a service stand in each branch. */
export function countTasks(
  tree: SpreadTree,
  tasks: Iterable<readonly [branches: readonly Branch[], tasks: number]>,
): ReadonlyMap<Branch, number> {
  const counts = new Map<Branch, number>([[tree.root, 0]]);
  for (const [branches, number] of tasks) {
    for (const branch of branches) counts.set(branch, (counts.get(branch) ?? 0) + number);
  }
  return counts;
}
