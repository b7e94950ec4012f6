import { setTimeout as wait } from 'node:timers/promises';
import { BaleError, isAbortError } from '../../core/errors.js';
import { parseDuration } from '../../proto/engine/duration.js';
import type { NodeDocument } from '../../proto/engine/node-document.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { TaskDocument } from '../../proto/engine/task-document.js';
import type { ApiClient, Query } from '../client.js';
import { forEachOperand, holdInterrupt, type Context } from '../context.js';
import { parseCount } from '../flags/quantity.js';
import { usageError } from '../flags/usage-error.js';
import { drainProgress } from '../view/drain-progress.js';
import { ProgressBoard } from '../view/progress-board.js';
import type { WaitFlags } from './run-update.js';

const POLL_MS = 200;

export interface DrainFlags extends WaitFlags {
  readonly deadline?: string;
  readonly maxParallel?: string;
}

interface DrainedNode {
  readonly id: string;
  /** As the user named it. */
  readonly name: string;
}

/** `node drain`. The Engine API has no field for the limits: a drain is a request of bale's own. */
export async function drainNodes(context: Context, names: readonly string[], flags: DrainFlags): Promise<void> {
  const limits = drainLimits(flags);
  const client = await context.connect();
  const draining: DrainedNode[] = [];
  try {
    await forEachOperand(context, [...new Set(names)], async (name) => {
      const { ID, Version } = await client.get<NodeDocument>(`/nodes/${encodeURIComponent(name)}`);
      holdInterrupt(context);
      await client.post(`/bale/nodes/${ID}/drain`, undefined, { ...limits, version: Version.Index });
      context.print(`${name}\n`);
      draining.push({ id: ID, name });
    });
  } finally {
    if (flags.detach !== true && draining.length > 0) {
      await watch(context, client, draining, new ProgressBoard(context, flags.quiet === true));
    }
  }
}

function drainLimits({ deadline, maxParallel }: DrainFlags): Query {
  if (deadline !== undefined && parseDuration(deadline, '--deadline') <= 0) {
    throw usageError('--deadline', deadline, 'write a duration longer than nothing');
  }
  return {
    ...(deadline === undefined ? {} : { deadline }),
    ...(maxParallel === undefined ? {} : { 'max-parallel': parseCount('--max-parallel', maxParallel, 1) }),
  };
}

async function watch(
  context: Context,
  client: ApiClient,
  nodes: readonly DrainedNode[],
  board: ProgressBoard,
): Promise<void> {
  try {
    await follow(context, client, nodes, board);
  } catch (error) {
    if (!isAbortError(error)) throw error;
    board.end();
    const names = nodes.map(({ name }) => name).join(' ');
    context.print(`Operation continuing in background.\nUse \`bale node ps ${names}\` to check progress.\n`);
  }
}

async function follow(
  context: Context,
  client: ApiClient,
  nodes: readonly DrainedNode[],
  board: ProgressBoard,
): Promise<void> {
  // From here on Ctrl-C ends the looking on, not the drain.
  const { signal } = context;
  const services = new Map<string, Promise<string>>();
  for (;;) {
    const looks = await Promise.all(nodes.map((node) => look(client, node, services)));
    board.show(looks.flatMap(({ lines }) => lines));
    if (looks.every(({ outcome }) => outcome.kind !== 'going')) {
      const failures = looks.flatMap(({ outcome }) => (outcome.kind === 'failed' ? [outcome.message] : []));
      if (failures.length === 0) return;
      throw new BaleError(failures.join('\n'), { kind: 'conflict', code: 'BALE_DRAIN_CALLED_OFF' });
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

async function look(
  client: ApiClient,
  { id, name }: DrainedNode,
  services: Map<string, Promise<string>>,
): Promise<ReturnType<typeof drainProgress>> {
  const node = await client.get<NodeDocument>(`/nodes/${id}`);
  const tasks = await client.get<TaskDocument[]>('/tasks', { filters: JSON.stringify({ node: { [id]: true } }) });
  const { availability, deadline } = { availability: node.Spec.Availability, deadline: node.drain?.deadline };
  return drainProgress({
    node: name,
    availability,
    ...(deadline === undefined ? {} : { deadline: Date.parse(deadline) }),
    tasks,
    services: await namesOf(client, tasks, services),
    now: Date.now(),
  });
}

/** Names of services by id, each asked for once; one that is gone keeps its id. */
async function namesOf(
  client: ApiClient,
  tasks: readonly TaskDocument[],
  known: Map<string, Promise<string>>,
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(tasks.map(({ ServiceID }) => ServiceID))];
  const names = ids.map(async (id): Promise<readonly [string, string]> => {
    const name =
      known.get(id) ??
      client.get<ServiceDocument>(`/services/${id}`).then(
        ({ Spec }) => Spec.Name,
        () => id,
      );
    known.set(id, name);
    return [id, await name];
  });
  return new Map(await Promise.all(names));
}
