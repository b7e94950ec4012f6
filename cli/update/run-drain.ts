import { setTimeout as wait } from 'node:timers/promises';
import { BaleError, isAbortError } from '../../core/errors.js';
import { parseDuration } from '../../proto/engine/duration.js';
import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient } from '../client.js';
import type { Context } from '../context.js';
import { parseCount } from '../flags/quantity.js';
import { drainProgress } from '../view/drain-progress.js';
import { ProgressBoard } from '../view/progress-board.js';
import { changeNode } from './run-node-update.js';
import type { WaitFlags } from './run-update.js';

const POLL_MS = 200;

export interface DrainFlags extends WaitFlags {
  readonly deadline?: string;
  readonly maxParallel?: string;
}

/** `node drain`. */
export async function drainNode(context: Context, name: string, flags: DrainFlags): Promise<void> {
  const limits = drainLimits(flags);
  const client = await context.connect();
  const { ID } =
    limits === undefined
      ? await changeNode(client, name, { availability: 'drain' })
      : await drainWithLimits(client, name, limits);
  context.print(`${name}\n`);
  if (flags.detach === true) return;
  const board = new ProgressBoard(context, flags.quiet === true);
  try {
    await follow(context, client, { id: ID, name }, board);
  } catch (error) {
    if (!isAbortError(error)) throw error;
    board.end();
    context.print(`Operation continuing in background.\nUse \`bale node ps ${name}\` to check progress.\n`);
  }
}

interface DrainLimits {
  readonly deadline?: string;
  readonly 'max-parallel'?: number;
}

function drainLimits({ deadline, maxParallel }: DrainFlags): DrainLimits | undefined {
  if (deadline === undefined && maxParallel === undefined) return undefined;
  if (deadline !== undefined) parseDuration(deadline, '--deadline');
  return {
    ...(deadline === undefined ? {} : { deadline }),
    ...(maxParallel === undefined ? {} : { 'max-parallel': parseCount('--max-parallel', maxParallel, 1) }),
  };
}

/** The Engine API has no field for the limits: they go to a path of bale's own. */
async function drainWithLimits(client: ApiClient, name: string, limits: DrainLimits): Promise<NodeDocument> {
  const node = await client.get<NodeDocument>(`/nodes/${encodeURIComponent(name)}`);
  await client
    .post(`/bale/nodes/${node.ID}/drain`, undefined, { ...limits, version: node.Version.Index })
    .catch((error: unknown) => {
      throw error instanceof BaleError && error.kind === 'not-found' ? limitsUnknown() : error;
    });
  return node;
}

const limitsUnknown = (): BaleError =>
  new BaleError('this daemon does not take --deadline and --max-parallel; drain the node without them', {
    kind: 'unimplemented',
    code: 'BALE_DRAIN_LIMITS',
  });

async function follow(
  context: Context,
  client: ApiClient,
  node: { readonly id: string; readonly name: string },
  board: ProgressBoard,
): Promise<void> {
  // From here on Ctrl-C ends the looking on, not the drain.
  const { signal } = context;
  const services = new Map<string, string>();
  const filters = JSON.stringify({ node: { [node.id]: true } });
  for (;;) {
    const { Spec } = await client.get<NodeDocument>(`/nodes/${node.id}`);
    const tasks = await client.get<TaskDocument[]>('/tasks', { filters });
    await learnNames(client, tasks, services);
    const { lines, outcome } = drainProgress({ node: node.name, availability: Spec.Availability, tasks, services });
    board.show(lines);
    if (outcome.kind === 'failed') {
      throw new BaleError(outcome.message, { kind: 'conflict', code: 'BALE_DRAIN_CALLED_OFF' });
    }
    if (outcome.kind === 'done') return;
    await wait(POLL_MS, undefined, { signal });
  }
}

/** Names of services, each asked for once; one that is gone keeps its id. */
async function learnNames(
  client: ApiClient,
  tasks: readonly TaskDocument[],
  names: Map<string, string>,
): Promise<void> {
  const unknown = new Set(tasks.map(({ ServiceID }) => ServiceID).filter((id) => !names.has(id)));
  for (const id of unknown) {
    const service = await client.get<ServiceDocument>(`/services/${id}`).catch(() => undefined);
    names.set(id, service?.Spec.Name ?? id);
  }
}
