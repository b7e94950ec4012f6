import { setTimeout as wait } from 'node:timers/promises';
import { BaleError, isAbortError } from '../../core/errors.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import { isPerNode } from '../../proto/engine/service-mode.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import type { Context } from '../context.js';
import { lookAtNodes, NO_NODES } from './nodes-look.js';
import { ProgressBoard } from './progress-board.js';
import { NOTHING_SEEN, serviceProgress, type ProgressMemory, type ServiceProgress } from './service-progress.js';

/** docker's own period; the daemon answers such a poll from memory. */
const POLL_MS = 200;

/** Progress of one service; see `waitForServices`. */
export const waitForService = (
  context: Context,
  client: ApiClient,
  name: string,
  options: { readonly quiet: boolean },
): Promise<void> => waitForServices(context, client, [name], options);

/**
 * Shows the progress of services, on one board, until each has settled: all its replicas run and have
 * stayed so for the monitor period, or its rollout has ended. One that was paused is an error.
 * Ctrl-C leaves the work going on and says so.
 */
export async function waitForServices(
  context: Context,
  client: ApiClient,
  names: readonly string[],
  options: { readonly quiet: boolean },
): Promise<void> {
  const board = new ProgressBoard(context, options.quiet);
  try {
    await follow(context, client, names, board);
  } catch (error) {
    if (!isAbortError(error)) throw error;
    board.end();
    const services = names.join(' ');
    context.print(`Operation continuing in background.\nUse \`bale service ps ${services}\` to check progress.\n`);
  }
}

interface Followed {
  readonly name: string;
  memory: ProgressMemory;
  /** The last look at it; it stays once it has settled. */
  progress?: ServiceProgress;
}

async function follow(
  context: Context,
  client: ApiClient,
  names: readonly string[],
  board: ProgressBoard,
): Promise<void> {
  // From here on Ctrl-C ends the looking on, not the work.
  const { signal } = context;
  const followed = names.map((name): Followed => ({ name, memory: NOTHING_SEEN }));
  for (;;) {
    await Promise.all(followed.filter(isGoing).map(async (one) => look(context, client, one)));
    board.show(followed.flatMap((one) => namedLines(one, names.length > 1)));
    if (!followed.some(isGoing)) break;
    await wait(POLL_MS, undefined, { signal });
  }
  board.end();
  const failures = followed.flatMap(({ name, progress }) =>
    progress?.outcome.kind === 'failed'
      ? [names.length > 1 ? `${name}: ${progress.outcome.message}` : progress.outcome.message]
      : [],
  );
  if (failures.length > 0) {
    throw new BaleError(failures.join('\n'), { kind: 'failed-precondition', code: 'BALE_ROLLOUT_STOPPED' });
  }
}

const isGoing = ({ progress }: Followed): boolean => progress === undefined || progress.outcome.kind === 'going';

async function look(context: Context, client: ApiClient, one: Followed): Promise<void> {
  const path = `/services/${encodeURIComponent(one.name)}`;
  const shown = await client.get<ServiceDocument>(path, { insertDefaults: false });
  const { nodeNames, counts } = isPerNode(shown.Spec.Mode) ? await lookAtNodes(client, shown.ID) : NO_NODES;
  const service = { ...shown, ...counts };
  const filters = JSON.stringify({ service: { [service.ID]: true }, '_up-to-date': { true: true } });
  const tasks = await client.get<TaskDocument[]>('/tasks', { filters });
  one.progress = serviceProgress({ name: one.name, service, tasks, nodeNames, now: Date.now() }, one.memory);
  one.memory = one.progress.memory;
  if (one.progress.outcome.kind === 'going') return;
  for (const { error, notice } of service.portErrors ?? []) {
    if (notice !== true) context.warn(`warning: ${error}\n`);
  }
  for (const warning of service.warnings ?? []) context.warn(`warning: ${warning}\n`);
}

const namedLines = ({ name, progress }: Followed, several: boolean): ServiceProgress['lines'] =>
  (progress?.lines ?? []).map((line) =>
    several
      ? {
          ...line,
          key: `${name} ${line.key}`,
          text: line.text.startsWith(`${name}.`) ? line.text : `${name}: ${line.text}`,
        }
      : line,
  );
