import { setTimeout as wait } from 'node:timers/promises';
import { BaleError, isAbortError } from '../../core/errors.js';
import type { RunDocument, ScheduleDocument, ServiceDocument } from '../../proto/engine/service-document.js';
import { isPerNode } from '../../proto/engine/service-mode.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import { holdInterrupt, type Context } from '../context.js';
import { ProgressBoard } from '../view/progress-board.js';
import { lookAtNodes, NO_NODES } from '../view/nodes-look.js';
import { runProgress } from '../view/run-progress.js';
import { readService, type WaitFlags } from './run-update.js';

const POLL_MS = 200;

/** `service run`: begins a run of a job, and shows it to its end. */
export async function runJob(context: Context, name: string, flags: WaitFlags): Promise<void> {
  const client = await context.connect();
  const { ID } = await readService(client, name);
  holdInterrupt(context);
  const { JobIteration } = await client.post<RunDocument>(`/bale/services/${ID}/run`);
  context.print(`${name}: run ${JobIteration.Index}\n`);
  if (flags.detach === true) return;
  const board = new ProgressBoard(context, flags.quiet === true);
  try {
    await follow(context, client, ID, JobIteration.Index, board);
  } catch (error) {
    if (!isAbortError(error)) throw error;
    board.end();
    context.print(`Operation continuing in background.\nUse \`bale service ps ${name}\` to check progress.\n`);
  }
}

async function follow(
  context: Context,
  client: ApiClient,
  id: string,
  iteration: number,
  board: ProgressBoard,
): Promise<void> {
  const { signal } = context;
  for (;;) {
    const { lines, outcome } = await look(client, id, iteration);
    board.show(lines);
    switch (outcome.kind) {
      case 'going':
        await wait(POLL_MS, undefined, { signal });
        break;
      case 'done':
        board.end();
        return;
      case 'failed':
        board.end();
        throw new BaleError(outcome.message, { kind: 'failed-precondition', code: 'BALE_RUN_FAILED' });
    }
  }
}

async function look(client: ApiClient, id: string, iteration: number): Promise<ReturnType<typeof runProgress>> {
  const shown = await client.get<ServiceDocument>(`/services/${id}`, { insertDefaults: false });
  const { nodeNames, counts } = isPerNode(shown.Spec.Mode) ? await lookAtNodes(client, id) : NO_NODES;
  const tasks = await client.get<TaskDocument[]>('/tasks', { filters: JSON.stringify({ service: { [id]: true } }) });
  const schedule =
    shown.nextRun === undefined ? undefined : await client.get<ScheduleDocument>(`/bale/services/${id}/schedule`);
  return runProgress({ service: { ...shown, ...counts }, tasks, nodeNames, iteration, runs: schedule?.runs });
}
