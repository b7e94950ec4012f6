import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backlog } from '../../manager/scheduler/backlog.js';
import { FailureWindow } from '../../manager/scheduler/failure-window.js';
import { refusalOf } from '../../manager/scheduler/filters.js';
import { KeptPool } from '../../manager/scheduler/kept-pool.js';
import { Ledger } from '../../manager/scheduler/ledger.js';
import { nodeValue } from '../../manager/scheduler/node-value.js';
import { generalKey } from '../../manager/scheduler/rank.js';
import { type Requirement, requirementOf, resourcesOf } from '../../manager/scheduler/requirement.js';
import { type PassReport, runPass } from '../../manager/scheduler/scheduling-pass.js';
import { groupKey } from '../../manager/scheduler/waiting-group.js';
import type { NodeObject, TaskObject } from '../../manager/store/objects.js';
import { PlainRows } from '../support/plain-rows.js';
import { cluster, tasksOf } from '../support/scheduler-shapes.js';
import { nodeOf } from '../unit/manager/scheduler/scheduler-nodes.js';

/** What the scheduler shall choose, looked for the slow way: every node, for every task. */
function chooseSlowly(nodes: readonly NodeObject[], ledger: Ledger, task: TaskObject): string | undefined {
  const { pinnedTo } = task;
  const needs = requirementOf(task);
  const countUnder = (values: readonly string[]): number =>
    nodes
      .filter((node) => values.every((value, level) => valueAt(node, needs, level) === value))
      .reduce((sum, node) => sum + ledger.account(node.id).tasksOf(task.serviceId), 0);
  const rankOf = (node: NodeObject): readonly number[] => {
    const account = ledger.account(node.id);
    const serviceTasks = account.tasksOf(task.serviceId);
    const total = resourcesOf(node.description?.Resources);
    return [serviceTasks, generalKey(total, account.reserved, account.tasks, nodes.indexOf(node))];
  };
  let open = nodes.filter((node) => {
    const account = ledger.account(node.id);
    const state = { node, account, suspect: false, serviceTasks: account.tasksOf(task.serviceId) };
    return refusalOf(needs, state) === undefined;
  });
  if (pinnedTo !== undefined) return open.find(({ id }) => id === pinnedTo)?.id;
  const values: string[] = [];
  for (const level of needs.spreads.keys()) {
    const branches = [...new Set(open.map((node) => valueAt(node, needs, level)))];
    const fewest = Math.min(...branches.map((value) => countUnder([...values, value])));
    const tied = open.filter((node) => countUnder([...values, valueAt(node, needs, level)]) === fewest);
    // Of equal branches the one whose own choice, further down, is best: found by looking in each.
    const heads = [...new Set(tied.map((node) => valueAt(node, needs, level)))].map((value) => ({
      value,
      head: headOf(
        tied.filter((node) => valueAt(node, needs, level) === value),
        [...values, value],
        level + 1,
      ),
    }));
    const chosen = heads.sort((a, b) => compareLists(rankOf(a.head), rankOf(b.head)))[0];
    if (chosen === undefined) return undefined;
    values.push(chosen.value);
    open = tied.filter((node) => valueAt(node, needs, level) === chosen.value);
  }
  return [...open].sort((a, b) => compareLists(rankOf(a), rankOf(b)))[0]?.id;

  function headOf(within: readonly NodeObject[], above: readonly string[], level: number): NodeObject {
    const byRank = (some: readonly NodeObject[]): NodeObject => {
      const [first] = [...some].sort((a, b) => compareLists(rankOf(a), rankOf(b)));
      if (first === undefined) throw new Error('a branch without nodes');
      return first;
    };
    if (level >= needs.spreads.length) return byRank(within);
    const branches = [...new Set(within.map((node) => valueAt(node, needs, level)))];
    const fewest = Math.min(...branches.map((value) => countUnder([...above, value])));
    const tied = branches.filter((value) => countUnder([...above, value]) === fewest);
    return byRank(
      tied.map((value) =>
        headOf(
          within.filter((node) => valueAt(node, needs, level) === value),
          [...above, value],
          level + 1,
        ),
      ),
    );
  }
}

const valueAt = (node: NodeObject, { spreads }: Requirement, level: number): string => {
  const spread = spreads[level];
  return spread === undefined ? '' : nodeValue(node, spread);
};

const compareLists = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((order, value, index) => order || value - (b[index] ?? 0), 0);

/** What happens between two passes. */
const event = fc.oneof(
  fc.record({ kind: fc.constant('end' as const), task: fc.nat(60) }),
  fc.record({ kind: fc.constant('stop' as const), task: fc.nat(60) }),
  fc.record({ kind: fc.constant('turn node' as const), node: fc.nat(5) }),
  fc.record({ kind: fc.constant('come' as const), tasks: fc.nat(8) }),
  fc.constant({ kind: 'nothing' as const }),
);
type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

/** The scheduler's passes on rows in memory, with what its loop does around them. */
class Swarm {
  readonly rows: PlainRows;
  readonly #backlog = new Backlog();
  readonly #ledger = new Ledger();
  readonly #pool = new KeptPool();
  #keys = new Set<string>();
  #coming: readonly TaskObject[];

  constructor(nodes: readonly NodeObject[], tasks: readonly TaskObject[]) {
    this.rows = new PlainRows(nodes, []);
    this.#coming = tasks;
  }

  /** Whether there is nothing more to do. */
  get isIdle(): boolean {
    return this.#keys.size === 0 && this.#coming.length === 0;
  }

  pass(budget: number): PassReport {
    const knowledge = {
      backlog: this.#backlog,
      ledger: this.#ledger,
      pool: this.#pool,
      failures: new FailureWindow(),
      suspects: new Set<string>(),
      allowed: new Set<never>(),
    };
    const report = runPass(this.rows, this.#keys, knowledge, budget);
    this.#keys = new Set(report.unfinished);
    for (const { id } of this.rows.tasks()) this.#follow(id);
    return report;
  }

  apply(what: Event): void {
    switch (what.kind) {
      case 'end':
        this.#change(what.task, (task) => ({ ...task, status: { ...task.status, State: 'complete' } }));
        break;
      case 'stop':
        this.#change(what.task, (task) => ({ ...task, desiredState: 'shutdown' }));
        break;
      case 'turn node':
        this.rows.nodes = this.rows.nodes.map((node, index) =>
          index === what.node
            ? { ...node, status: { ...node.status, state: node.status.state === 'down' ? 'ready' : 'down' } }
            : node,
        );
        break;
      case 'come':
        this.#come(what.tasks);
        break;
      case 'nothing':
        break;
    }
    if (what.kind !== 'nothing') for (const key of this.#backlog.keys()) this.#keys.add(key);
  }

  comeAll(): void {
    this.#come(this.#coming.length);
  }

  #come(count: number): void {
    for (const task of this.#coming.slice(0, count)) {
      this.rows.put('task', task);
      this.#follow(task.id);
    }
    this.#coming = this.#coming.slice(count);
  }

  /** Of a task that has a node. */
  #change(number: number, changed: (task: TaskObject) => TaskObject): void {
    const task = this.rows.tasks()[number];
    if (task?.nodeId === undefined) return;
    this.rows.put('task', changed(task));
    this.#follow(task.id);
  }

  #follow(taskId: string): void {
    const task = this.rows.task(taskId);
    this.#ledger.set(taskId, task);
    const group = this.#backlog.set(taskId, task);
    if (group !== undefined) this.#keys.add(group);
  }
}

test('each task goes where a look at every node for every task would put it, whatever happens between passes', () => {
  const budgets = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(cluster, budgets, fc.array(event, { maxLength: 12 }), ({ nodes: shapes, services }, budget, events) => {
      const nodes = shapes.map((shape, index) => nodeOf(`n${index}`, { ...shape, labels: { ...shape.labels } }));
      const tasks = tasksOf(services).map((draft): TaskObject => ({
        ...draft,
        version: 1,
        createdAt: 0,
        updatedAt: 0,
      }));
      const swarm = new Swarm(nodes, tasks);
      const todo: Event[] = [{ kind: 'come', tasks: 10 }, ...events];
      while (todo.length > 0 || !swarm.isIdle) {
        const next = todo.shift();
        if (next === undefined) swarm.comeAll();
        else swarm.apply(next);
        const booked = new Ledger();
        for (const task of swarm.rows.tasks()) booked.set(task.id, task);
        const before = new Map(swarm.rows.tasks().map((task) => [task.id, task]));
        const report = swarm.pass(budget);
        for (const { taskId, nodeId, generics } of report.placed) {
          const task = before.get(taskId);
          if (task === undefined) throw new Error(`no task ${taskId}`);
          expect(nodeId).toBe(chooseSlowly(swarm.rows.nodes, booked, task));
          booked.set(taskId, { ...task, nodeId, ...(generics === undefined ? {} : { genericResources: generics }) });
        }
        for (const key of report.waiting.keys()) {
          const waits = swarm.rows.tasks().find((task) => task.nodeId === undefined && groupKey(task) === key);
          expect(waits === undefined ? undefined : chooseSlowly(swarm.rows.nodes, booked, waits)).toBeUndefined();
        }
      }
    }),
    { numRuns: 250 },
  );
});
