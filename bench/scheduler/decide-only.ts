import { Backlog } from '../../manager/scheduler/backlog.js';
import { FailureWindow } from '../../manager/scheduler/failure-window.js';
import { KeptPool } from '../../manager/scheduler/kept-pool.js';
import { Ledger } from '../../manager/scheduler/ledger.js';
import { runPass } from '../../manager/scheduler/scheduling-pass.js';
import type { NodeObject, TaskObject } from '../../manager/store/objects.js';
import { PlainRows } from '../../test/support/plain-rows.js';

/** As in scheduler-loop.ts. */
const BUDGET = 1_000;
const GROUPS = 1_000;

/** Places all tasks pass by pass, as the scheduler's loop does, and tells the seconds of CPU time it took. */
export function decideOnly(nodes: readonly NodeObject[], tasks: readonly TaskObject[]): number {
  const rows = new PlainRows(nodes, tasks);
  const backlog = new Backlog();
  const knowledge = {
    backlog,
    ledger: new Ledger(),
    pool: new KeptPool(),
    failures: new FailureWindow(),
    suspects: new Set<string>(),
    allowed: new Set<never>(),
  };
  const before = process.cpuUsage();
  for (const task of tasks) backlog.set(task.id, task);
  const keys = new Set(backlog.keys());
  while (keys.size > 0) {
    const taken = new Set([...keys].slice(0, GROUPS));
    const report = runPass(rows, taken, knowledge, BUDGET);
    // What the watch of the store tells in the loop.
    for (const { taskId } of report.placed) {
      const task = rows.task(taskId);
      knowledge.ledger.set(taskId, task);
      backlog.set(taskId, task);
    }
    for (const key of taken) keys.delete(key);
    for (const key of report.unfinished) keys.add(key);
  }
  const { user, system } = process.cpuUsage(before);
  if (backlog.size > 0) throw new Error(`${backlog.size} tasks found no node: the measurement is void`);
  return (user + system) / 1e6;
}
