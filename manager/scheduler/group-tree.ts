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
  readonly #counts: ReadonlyMap<Branch, number>;
  #inner: readonly GroupBranch[] | undefined;
  readonly #taken: OpenNode[] = [];
  #known: Heap<GroupNode> | undefined;
  /** The first of the shared heap, once it was found to take the group. */
  #fresh: GroupNode | undefined;
  #best: Standing | undefined;
  #settled = false;
  /** The child that `best` is of. */
  #chosen: GroupBranch | undefined;
  /** No node below stands better. */
  readonly #bound: Standing;

  constructor(branch: Branch, counts: ReadonlyMap<Branch, number>, facts: GroupFacts) {
    this.#branch = branch;
    this.#facts = facts;
    this.#counts = counts;
    this.#bound = { failures: 0, serviceTasks: 0, key: branch.bound };
    this.count = counts.get(branch) ?? 0;
  }

  /** Made when it is looked into: most groups see few of the branches. */
  get #children(): readonly GroupBranch[] {
    this.#inner ??= [...this.#branch.children.values()].map(
      (child) => new GroupBranch(child, this.#counts, this.#facts),
    );
    return this.#inner;
  }

  /** How the node stands that its next task would go to; undefined when nothing below takes one more. */
  best(): Standing | undefined {
    if (!this.#settled) {
      this.#chosen = this.#child();
      this.#best = this.#branch.children.size === 0 ? this.#leafBest() : this.#chosen?.best();
      this.#settled = true;
    }
    return this.#best;
  }

  /** Hands one task to the best node below; `best` must have found one just before. `give` does the placing. */
  place(give: (node: GroupNode) => void): void {
    if (this.#chosen === undefined) this.#placeHere(give);
    else this.#chosen.place(give);
    this.#settled = false;
    this.count += 1;
  }

  release(): void {
    for (const open of this.#taken) this.#branch.nodes.add(open);
    for (const child of this.#inner ?? []) child.release();
    if (this.#inner !== undefined || this.#taken.length > 0) this.#branch.refreshBound();
  }

  /**
   * Of the children that take one more, the one with fewest tasks of the service; of equals the one
   * with the best node. A child is looked into only when it may be that one: its best node is no
   * better than its bound.
   */
  #child(): GroupBranch | undefined {
    for (;;) {
      let chosen: GroupBranch | undefined;
      for (const child of this.#children) {
        if (child.#isFull()) continue;
        if (chosen === undefined || child.#isBefore(chosen)) chosen = child;
      }
      if (chosen === undefined || chosen.#settled) return chosen;
      chosen.best();
    }
  }

  #isFull(): boolean {
    return this.#settled && this.#best === undefined;
  }

  #isBefore(other: GroupBranch): boolean {
    return (this.count - other.count || compareStandings(this.#estimate(), other.#estimate())) < 0;
  }

  /** Its best node, or while that is not known a node that stands no worse. */
  #estimate(): Standing {
    return this.#settled && this.#best !== undefined ? this.#best : this.#bound;
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
