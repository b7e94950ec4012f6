import type { Clock } from '../../core/clock.js';
import { ControlLoop } from '../../core/control-loop.js';
import type { Logger } from '../../core/logger.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { Store, Transaction } from '../store/store-types.js';
import { furtherStatus, judgeStatus } from './status-rule.js';

interface Report {
  readonly nodeId: string;
  readonly taskId: string;
  readonly status: TaskStatus;
}

export interface StatusInboxOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Gathers what agents report of their tasks and writes it: all agents together, one transaction at a
 * time, so that a thousand containers that start at once cost a few appends.
 *
 * Invariant: a report stays here until a transaction that judged it is durable.
 */
export class StatusInbox {
  readonly #store: Store;
  readonly #logger: Logger;
  /** The report that counts, by node and task. */
  #pending = new Map<string, Report>();
  readonly #loop: ControlLoop<'reports'>;

  constructor({ store, clock, logger }: StatusInboxOptions) {
    this.#store = store;
    this.#logger = logger;
    this.#loop = new ControlLoop({ name: 'task statuses', clock, logger, run: () => this.#write() });
  }

  report(nodeId: string, statuses: readonly { readonly taskId: string; readonly status: TaskStatus }[]): void {
    for (const { taskId, status } of statuses) this.#add({ nodeId, taskId, status });
    if (statuses.length > 0) this.#loop.mark('reports');
  }

  close(): Promise<void> {
    return this.#loop.close();
  }

  #add(report: Report): void {
    const key = `${report.nodeId} ${report.taskId}`;
    const earlier = this.#pending.get(key);
    const status = earlier === undefined ? report.status : furtherStatus(earlier.status, report.status);
    this.#pending.set(key, { ...report, status });
  }

  async #write(): Promise<void> {
    const batch = this.#pending;
    this.#pending = new Map();
    try {
      const refused = await this.#store.update((tx) => [...batch.values()].flatMap((report) => judge(tx, report)));
      for (const { reason, nodeId, taskId, status } of refused) {
        this.#logger.warn({ nodeId, taskId, state: status.State, reason }, 'a task status was refused');
      }
    } catch (error) {
      const later = this.#pending;
      this.#pending = batch;
      for (const report of later.values()) this.#add(report);
      throw error;
    }
  }
}

/** Writes the report, or returns it with the reason why it is refused. */
function judge(tx: Transaction, report: Report): readonly (Report & { readonly reason: string })[] {
  const task = tx.get('task', report.taskId);
  const verdict = judgeStatus(task, report.nodeId, report.status);
  switch (verdict.kind) {
    case 'write':
      if (task !== undefined) tx.put('task', { ...task, status: report.status });
      return [];
    case 'skip':
      return [];
    case 'refuse':
      return [{ ...report, reason: verdict.reason }];
  }
}
