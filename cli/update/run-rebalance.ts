import { setTimeout as wait } from 'node:timers/promises';
import { isAbortError } from '../../core/errors.js';
import type { RebalanceDocument, ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import { forEachOperand, holdInterrupt, type Context } from '../context.js';
import { ProgressBoard } from '../view/progress-board.js';
import { movesProgress } from '../view/moves-progress.js';
import { readService, type WaitFlags } from './run-update.js';

const POLL_MS = 200;

interface Rebalanced {
  readonly id: string;
  readonly name: string;
  readonly taskIds: readonly string[];
}

/** `service rebalance`: says what is moved and why, then shows the moves. */
export async function rebalanceServices(context: Context, names: readonly string[], flags: WaitFlags): Promise<void> {
  const client = await context.connect();
  const moving: Rebalanced[] = [];
  try {
    await forEachOperand(context, names.length > 0 ? names : await replicated(client), async (name) => {
      const { ID, Spec } = await readService(client, name);
      holdInterrupt(context);
      const { moves } = await client.post<RebalanceDocument>(`/bale/services/${ID}/rebalance`);
      if (moves.length === 0) context.print(`${Spec.Name}: already balanced\n`);
      else moving.push({ id: ID, name: Spec.Name, taskIds: moves.map(({ taskId }) => taskId) });
      for (const { slot, from, to, reason } of moves) {
        context.print(`${Spec.Name}.${slot}: ${from.hostname} -> ${to.hostname}: ${reason}\n`);
      }
    });
  } finally {
    if (flags.detach !== true && moving.length > 0) {
      await watch(context, client, moving, new ProgressBoard(context, flags.quiet === true));
    }
  }
}

const replicated = async (client: ApiClient): Promise<readonly string[]> =>
  (await client.get<ServiceDocument[]>('/services'))
    .filter(({ Spec }) => Spec.Mode.Replicated !== undefined)
    .map(({ Spec }) => Spec.Name)
    .sort();

async function watch(
  context: Context,
  client: ApiClient,
  moving: readonly Rebalanced[],
  board: ProgressBoard,
): Promise<void> {
  // From here on Ctrl-C ends the looking on, not the moves.
  const { signal } = context;
  try {
    for (;;) {
      const looks = await Promise.all(moving.map((one) => look(client, one)));
      board.show(looks.flatMap(({ lines }) => lines));
      if (looks.every(({ left }) => left === 0)) return;
      await wait(POLL_MS, undefined, { signal });
    }
  } catch (error) {
    if (!isAbortError(error)) throw error;
    board.end();
    const names = moving.map(({ name }) => name).join(' ');
    context.print(`Operation continuing in background.\nUse \`bale service ps ${names}\` to check progress.\n`);
  }
}

async function look(client: ApiClient, { id, name, taskIds }: Rebalanced): Promise<ReturnType<typeof movesProgress>> {
  const service = await readService(client, id);
  const filters = JSON.stringify({ service: { [id]: true } });
  const tasks = await client.get<TaskDocument[]>('/tasks', { filters });
  return movesProgress({ name, taskIds, tasks, waiting: service.waiting ?? [] });
}
