import { explain } from './explain.js';
import { dynamicRefusal, type Refusal } from './filters.js';
import { GroupNode } from './group-node.js';
import { countTasks, GroupBranch } from './group-tree.js';
import type { NodePool, Search } from './node-pool.js';
import type { Group, Placement } from './placement.js';
import type { Branch, SpreadTree } from './spread-tree.js';

/** What a search is for: the tasks of one version of one service. */
type SearchedGroup = Pick<Group, 'serviceId' | 'requirement'>;

/** To explain a node takes so much longer than to look at it. */
const EXPLAINED = 4;

/**
 * One group on its way over the nodes of a pool. It can be gone on with as long as nobody else
 * chooses nodes of the pool: then n nodes and k tasks cost about n + k log n in all, over however
 * many passes.
 */
export class GroupSearch implements Search {
  readonly #group: SearchedGroup;
  readonly #pool: NodePool;
  readonly #root: GroupBranch;
  readonly #entered: GroupNode[] = [];

  /** `failuresOn`: recent failures of this version of the service on a node. Asked once for each node. */
  constructor(group: SearchedGroup, pool: NodePool, failuresOn: (nodeId: string) => number) {
    const { requirement, serviceId } = group;
    const own = pool.ledger.nodesOf(serviceId);
    const tree = pool.tree(requirement);
    const uncounted = requirement.spreads.length === 0 || own.size === 0;
    const counts = uncounted ? NO_COUNTS : countTasks(tree, branchesOf(own, tree, pool));
    this.#group = group;
    this.#pool = pool;
    this.#root = new GroupBranch(tree.root, 0, counts, (open) => {
      const { id } = open.node;
      const node = new GroupNode(open, requirement, own.get(id) ?? 0, failuresOn(id));
      this.#entered.push(node);
      return node;
    });
  }

  isFor({ serviceId, requirement }: SearchedGroup): boolean {
    return serviceId === this.#group.serviceId && requirement === this.#group.requirement;
  }

  place(taskIds: readonly string[]): readonly Placement[] {
    const placements: Placement[] = [];
    for (const taskId of taskIds) {
      const node = this.#root.best();
      if (node === undefined) break;
      placements.push(node.place(taskId));
      this.#root.placed();
    }
    return placements;
  }

  /** Nothing takes one more, so each node was entered or is none for this requirement whatever it has free. */
  reason(): string {
    const { requirement } = this.#group;
    const entered: GroupNode[] = [];
    for (const node of this.#entered) entered[node.open.order] = node;
    const refusals: Refusal[] = [];
    for (const [place, unfit] of this.#pool.unfit(requirement).entries()) {
      const node = entered[place];
      const refusal = unfit ?? (node === undefined ? undefined : dynamicRefusal(requirement, node));
      if (refusal !== undefined) refusals.push(refusal);
    }
    this.#pool.looks += EXPLAINED * refusals.length;
    return explain(requirement, refusals);
  }

  release(): void {
    this.#root.release();
  }
}

const NO_COUNTS: ReadonlyMap<Branch, number> = new Map();

function* branchesOf(
  own: ReadonlyMap<string, number>,
  tree: SpreadTree,
  pool: NodePool,
): Iterable<readonly [readonly Branch[], number]> {
  for (const [id, tasks] of own) {
    const node = pool.node(id);
    if (node !== undefined) yield [tree.path(node), tasks];
  }
}
