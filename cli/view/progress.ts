import { setTimeout as wait } from 'node:timers/promises';
import { isAbortError } from '../../core/errors.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import { isDesiredAlive, stateOrder } from '../../proto/engine/task-state.js';
import type { ApiClient } from '../client.js';
import type { Context } from '../context.js';
import { ProgressBoard } from './progress-board.js';

/** docker's own period; the daemon answers such a poll from memory. */
const POLL_MS = 200;
const DEFAULT_MONITOR_MS = 5_000;

export interface Convergence {
  readonly running: number;
  readonly wanted: number;
  /** One line a slot, in order. */
  readonly slots: readonly { readonly slot: number; readonly text: string }[];
}

/** What the progress of a replicated service is, from its tasks. Pure. */
export function convergence(service: ServiceDocument, tasks: readonly TaskDocument[]): Convergence {
  const wanted = service.Spec.Mode.Replicated?.Replicas ?? 1;
  const bySlot = new Map<number, TaskDocument>();
  for (const task of tasks) {
    const slot = task.Slot ?? 0;
    const known = bySlot.get(slot);
    if (known === undefined || isBetter(task, known)) bySlot.set(slot, task);
  }
  const live = [...bySlot.entries()].filter(([, task]) => isDesiredAlive(task.DesiredState)).sort(([a], [b]) => a - b);
  return {
    running: live.filter(([, task]) => isUp(task)).length,
    wanted,
    slots: live.map(([slot, task]) => ({
      slot,
      text: task.Status.Err === undefined || task.Status.Err === '' || isUp(task) ? task.Status.State : task.Status.Err,
    })),
  };
}

const isUp = (task: TaskDocument): boolean => task.Status.State === 'running' && task.DesiredState === 'running';

/** Of two tasks of one slot the one that shall live counts; of two such, the newer. */
function isBetter(task: TaskDocument, known: TaskDocument): boolean {
  const [a, b] = [stateOrder(task.DesiredState), stateOrder(known.DesiredState)];
  return isDesiredAlive(task.DesiredState) === isDesiredAlive(known.DesiredState)
    ? task.CreatedAt > known.CreatedAt
    : a < b;
}

/**
 * Shows progress of the service, by its id or name, until every replica runs and has stayed so for the service's monitor period.
 * Ctrl-C leaves the work going on and says so.
 */
export async function waitForService(
  context: Context,
  client: ApiClient,
  id: string,
  options: { readonly quiet: boolean },
): Promise<void> {
  const board = new ProgressBoard(context, options.quiet);
  try {
    await follow(context, client, id, board);
  } catch (error) {
    if (!isAbortError(error)) throw error;
    board.end();
    context.print(`Operation continuing in background.\nUse \`bale service ps ${id}\` to check progress.\n`);
  }
}

async function follow(context: Context, client: ApiClient, id: string, board: ProgressBoard): Promise<void> {
  // From here on Ctrl-C ends the looking on, not the work.
  const { signal } = context;
  let stableSince: number | undefined;
  for (;;) {
    const service = await client.get<ServiceDocument>(`/services/${encodeURIComponent(id)}`, { insertDefaults: false });
    const filters = JSON.stringify({ service: { [service.ID]: true }, '_up-to-date': { true: true } });
    const progress = convergence(service, await client.get<TaskDocument[]>('/tasks', { filters }));
    const monitor = (service.Spec.UpdateConfig?.Monitor ?? 0) / 1e6 || DEFAULT_MONITOR_MS;
    const now = Date.now();
    const done = progress.running === progress.wanted && progress.slots.length === progress.wanted;
    if (!done) {
      board.show(progress, stableSince === undefined ? '' : 'verify: Detected task failure');
      stableSince = undefined;
    } else {
      stableSince ??= now;
      const left = Math.ceil((stableSince + monitor - now) / 1000);
      if (left <= 0 || progress.wanted === 0) {
        board.show(progress, `verify: Service ${id} converged`);
        board.end();
        for (const { error } of service.portErrors ?? []) context.warn(`warning: ${error}\n`);
        return;
      }
      board.show(progress, `verify: Waiting ${left} seconds to verify that tasks are stable...`);
    }
    await wait(POLL_MS, undefined, { signal });
  }
}
