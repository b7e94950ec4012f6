import type { TaskSpec } from '../../proto/engine/task-spec.js';
import type { NodeAttribute } from '../../proto/engine/node-attribute.js';
import { nameOf } from '../scheduler/filters.js';
import { Ledger } from '../scheduler/ledger.js';
import { NodePool } from '../scheduler/node-pool.js';
import { nodeValue } from '../scheduler/node-value.js';
import { placeGroup } from '../scheduler/place.js';
import { requirementOf } from '../scheduler/requirement.js';
import type { NodeObject, ServiceObject, TaskObject } from '../store/objects.js';
import { runsAlike } from './effective-spec.js';

export interface BalanceView {
  readonly service: ServiceObject;
  /** Of all services: they take room. */
  readonly allTasks: readonly TaskObject[];
  /** In the order of their ids. */
  readonly nodes: readonly NodeObject[];
}

/** One surplus task, and the node that the scheduler would choose for it now. */
export interface RebalanceMove {
  readonly task: TaskObject;
  readonly from: NodeObject;
  readonly to: NodeObject;
  readonly reason: string;
}

/** How the tasks of one service are spread, and which of them would stand better elsewhere. */
export class Balance {
  readonly #service: ServiceObject;
  readonly #nodes: readonly NodeObject[];
  readonly #byId: ReadonlyMap<string, NodeObject>;
  readonly #ledger = new Ledger();

  constructor({ service, allTasks, nodes }: BalanceView) {
    this.#service = service;
    this.#nodes = nodes;
    this.#byId = new Map(nodes.map((node) => [node.id, node]));
    for (const task of allTasks) this.#ledger.set(task.id, task);
  }

  /** Tasks of the service on a node that shall live. */
  count({ id }: Pick<NodeObject, 'id'>): number {
    return this.#ledger.account(id).tasksOf(this.#service.id);
  }

  /**
   * The move that makes the service more evenly spread; undefined when the task stands well. From a
   * node, or a branch of a spread preference, that has at least two tasks more than the one where the
   * scheduler would put it: with one more, the move would only turn the difference around.
   */
  moveOf(task: TaskObject): RebalanceMove | undefined {
    const from = this.#byId.get(task.nodeId ?? '');
    if (from === undefined) return undefined;
    const { spec: ownSpec, hostPorts } = task;
    const spec = runsAlike(task, this.#service) ? this.#service.spec.TaskTemplate : ownSpec;
    const requirement = requirementOf({ spec, hostPorts });
    const { spreads } = requirement;
    this.#ledger.set(task.id, undefined);
    let parting: Parting | undefined;
    for (let candidates = this.#nodes; parting === undefined;) {
      const group = { serviceId: this.#service.id, requirement, taskIds: [task.id] };
      const { placements } = placeGroup(group, new NodePool(candidates, this.#ledger, new Set()), () => 0);
      const to = this.#byId.get(placements[0]?.nodeId ?? '');
      if (to === undefined || to.id === from.id) break;
      const found = this.#part(from, to, spreads);
      if (found.ahead > found.behind) parting = found;
      else if (found.level === undefined) break;
      else {
        // Its branch has no more than the other one. Within the branch its node may still have.
        const shared = spreads.slice(0, found.level + 1);
        candidates = candidates.filter((node) => isTogether(node, from, shared));
      }
    }
    this.#ledger.set(task.id, task);
    return parting === undefined ? undefined : { task, from, to: parting.to, reason: reasonOf(from, parting, spec) };
  }

  /** Takes the move for done. */
  note({ task, to }: RebalanceMove): void {
    this.#ledger.set(task.id, { ...task, nodeId: to.id });
  }

  #part(from: NodeObject, to: NodeObject, spreads: readonly NodeAttribute[]): Parting {
    const level = spreads.findIndex((spread) => nodeValue(from, spread) !== nodeValue(to, spread));
    if (level < 0) return { to, ahead: this.count(from), behind: this.count(to) };
    const shared = spreads.slice(0, level + 1);
    const [ahead, behind] = [this.#tasksIn(from, shared), this.#tasksIn(to, shared)];
    const spread = spreads[level];
    const values = spread === undefined ? {} : { values: [nodeValue(from, spread), nodeValue(to, spread)] as const };
    return { to, ahead, behind, level, ...values };
  }

  /** Tasks of the service in the branch of a node. */
  #tasksIn(node: NodeObject, shared: readonly NodeAttribute[]): number {
    let sum = 0;
    for (const [id, tasks] of this.#ledger.nodesOf(this.#service.id)) {
      const other = this.#byId.get(id);
      if (other !== undefined && isTogether(other, node, shared)) sum += tasks;
    }
    return sum;
  }
}

/** Where the ways to two nodes part, and how many tasks of the service either side has without the one to move. */
interface Parting {
  readonly to: NodeObject;
  readonly ahead: number;
  readonly behind: number;
  /** Of the spread preferences; absent when the nodes are in one branch. */
  readonly level?: number;
  /** Of that preference, on either side. */
  readonly values?: readonly [string, string];
}

const isTogether = (a: NodeObject, b: NodeObject, shared: readonly NodeAttribute[]): boolean =>
  shared.every((spread) => nodeValue(a, spread) === nodeValue(b, spread));

function reasonOf(
  from: NodeObject,
  { to, ahead, behind, level, values }: Parting,
  { Placement }: Pick<TaskSpec, 'Placement'>,
): string {
  const key = level === undefined ? undefined : Placement?.Preferences?.[level]?.Spread.SpreadDescriptor;
  const [here, there] =
    key === undefined || values === undefined
      ? [`node ${nameOf(from)}`, `node ${nameOf(to)}`]
      : [`${key}=${values[0]}`, `${key}=${values[1]}`];
  return `${here} has ${ahead + 1} tasks of the service, ${there} has ${behind}`;
}
