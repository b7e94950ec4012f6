import type { TaskStatus } from '../../proto/engine/task-document.js';

export interface TaskReport {
  readonly taskId: string;
  readonly status: TaskStatus;
}

/**
 * The latest status of each task of this node, and which of them the manager has not been sent.
 * Nothing is acknowledged: a session that breaks may have lost what was sent, so a new one gets all.
 */
export class StatusOutbox {
  readonly #latest = new Map<string, TaskStatus>();
  readonly #unsent = new Set<string>();
  readonly #onChange: () => void;

  /** `onChange` is called at each put; who batches decides when to take. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  put(taskId: string, status: TaskStatus): void {
    this.#latest.set(taskId, status);
    this.#unsent.add(taskId);
    this.#onChange();
  }

  /** The task was removed: its status is of no interest any more. */
  drop(taskId: string): void {
    this.#latest.delete(taskId);
    this.#unsent.delete(taskId);
  }

  /** What changed since the last take. */
  takeUnsent(): readonly TaskReport[] {
    const reports = [...this.#unsent].flatMap((taskId) => {
      const status = this.#latest.get(taskId);
      return status === undefined ? [] : [{ taskId, status }];
    });
    this.#unsent.clear();
    return reports;
  }

  /** Everything, for a new session. */
  takeAll(): readonly TaskReport[] {
    this.#unsent.clear();
    return [...this.#latest].map(([taskId, status]) => ({ taskId, status }));
  }
}
