import type { GroupNode } from './group-node.js';
import { Heap } from './heap.js';
import type { OpenNode } from './open-node.js';
import { compareStandings, failureRank, type Standing } from './rank.js';
import type { Branch, SpreadTree } from './spread-tree.js';

/** How a node is made ready for the group, with what of it depends on the group. */
export type EnterNode = (open: OpenNode) => GroupNode;

/**
 * A branch as one group sees it. A leaf gives out its nodes in two runs: those that the service has
 * nothing to do with yet, straight from the heap that all groups share; then those that have tasks
 * of it, or where it kept failing.
 *
 * Its own standing is that of the best node below when it was last looked for. Nodes only get worse,
 * so the next one stands no better, and a branch is looked into only when it may be the one.
 *
 * Invariant: `release` puts every node that was taken off the shared heap back.
 */
export class GroupBranch implements Standing {
  failures = 0;
  serviceTasks = 0;
  key: number;
  /** Tasks of the service below it that shall live. */
  count: number;
  readonly #branch: Branch;
  readonly #enter: EnterNode;
  readonly #counts: ReadonlyMap<Branch, number>;
  /** What was taken off the shared heaps: of a leaf its nodes, of others the branches. */
  #taken: OpenNode[] | undefined;
  #children: GroupBranch[] | undefined;
  /** Of the children taken, those that take one more task, the next one first. */
  #open: Heap<GroupBranch> | undefined;
  #known: Heap<GroupNode> | undefined;
  /** The first of the shared heap, once it was found to take the group. */
  #fresh: GroupNode | undefined;
  #best: GroupNode | undefined;
  #settled = false;

  /** `key`: no node below has a better one. */
  constructor(branch: Branch, key: number, counts: ReadonlyMap<Branch, number>, enter: EnterNode) {
    this.#branch = branch;
    this.#enter = enter;
    this.#counts = counts;
    this.key = key;
    this.count = counts.get(branch) ?? 0;
  }

  /** The node that the next task goes to; undefined when nothing below takes one more. */
  best(): GroupNode | undefined {
    if (this.#settled) return this.#best;
    const best = this.#branch.children.size === 0 ? this.#leafBest() : this.#innerBest();
    this.#best = best;
    this.#settled = true;
    if (best !== undefined) {
      this.failures = best.failures;
      this.serviceTasks = best.serviceTasks;
      this.key = best.key;
    }
    return best;
  }

  /** Takes note that the node that `best` told was given a task. */
  placed(): void {
    this.#settled = false;
    this.count += 1;
    if (this.#open !== undefined) {
      this.#open.first?.placed();
      this.#open.lowerFirst();
    } else if (this.#fresh !== undefined) {
      this.#know(this.#fresh);
      this.#fresh = undefined;
    } else this.#known?.lowerFirst();
  }

  /** Whatever was taken goes back. */
  release(): void {
    const branch = this.#branch;
    for (const open of this.#taken ?? []) branch.nodes.add(open);
    for (const child of this.#children ?? []) {
      child.release();
      branch.order.add(child.#branch);
    }
  }

  /**
   * Of the children that take one more, the one with fewest tasks of the service; of equals the one
   * with the best node. Children are taken off the shared heap as long as the next may be that one.
   */
  #innerBest(): GroupNode | undefined {
    this.#open ??= new Heap<GroupBranch>([], compareBranches);
    for (;;) {
      const { first } = this.#open;
      // Of the best node in the children that were not taken.
      const next = this.#branch.order.leastKey;
      if (next < Infinity && (first === undefined || !first.#isBeforeAny(next))) this.#takeChild(next);
      else if (first === undefined) return undefined;
      else if (first.#settled) return first.#best;
      else if (first.best() === undefined) this.#open.removeFirst();
      else this.#open.lowerFirst();
    }
  }

  #takeChild(key: number): void {
    const next = this.#branch.order.removeFirst();
    if (next === undefined) return;
    const child = new GroupBranch(next, key, this.#counts, this.#enter);
    if (this.#children === undefined) this.#children = [child];
    else this.#children.push(child);
    this.#open?.add(child);
  }

  /** Whether it comes before each branch whose nodes have no better key than this, whatever tasks of the service it has. */
  #isBeforeAny(key: number): boolean {
    return this.count === 0 && this.failures === 0 && this.serviceTasks === 0 && this.key <= key;
  }

  #leafBest(): GroupNode | undefined {
    this.#fresh ??= this.#nextFresh();
    if (this.#fresh !== undefined) return this.#fresh;
    let first = this.#known?.first;
    for (; first !== undefined && !first.takesOneMore(); first = this.#known?.first) this.#known?.removeFirst();
    return first;
  }

  /** Takes nodes off the shared heap until one fits that the service has nothing to do with. */
  #nextFresh(): GroupNode | undefined {
    const { nodes } = this.#branch;
    for (let open = nodes.first; open !== undefined; open = nodes.first) {
      nodes.removeFirst();
      if (this.#taken === undefined) this.#taken = [open];
      else this.#taken.push(open);
      const node = this.#enter(open);
      if (!node.takesOneMore()) continue;
      if (node.serviceTasks === 0 && failureRank(node.failures) === 0) return node;
      this.#know(node);
    }
    return undefined;
  }

  #know(node: GroupNode): void {
    this.#known ??= new Heap<GroupNode>([], compareStandings);
    this.#known.add(node);
  }
}

const compareBranches = (a: GroupBranch, b: GroupBranch): number => a.count - b.count || compareStandings(a, b);

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
