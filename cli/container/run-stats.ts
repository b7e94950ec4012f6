import { BaleError } from '../../core/errors.js';
import type { ServiceDocument } from '../../proto/engine/service-document.js';
import type { ApiClient } from '../client.js';
import { FailedOperands, type Context } from '../context.js';
import { renderList } from '../view/list.js';
import { runningTasks, serviceNamed, tasksNamed, type FoundTask } from './find-tasks.js';
import { sampleOnce, StatsFeed } from './stats-feed.js';
import { statsColumns, type StatsRow } from './stats-rows.js';

export interface StatsFlags {
  readonly format?: string;
  readonly stream: boolean;
  readonly trunc: boolean;
}

const DRAW_EVERY_MS = 500;
/** How often tasks that came and went are looked for. */
const LOOK_EVERY_MS = 2_000;

/** Without operands all services. Ends with Ctrl-C, or after one table. */
export async function runStats(context: Context, operands: readonly string[], flags: StatsFlags): Promise<void> {
  const client = await context.connect();
  const look = async (): Promise<readonly FoundTask[]> => unique(await wanted(client, operands));
  if (flags.stream) await follow(context, client, look, flags);
  else await once(context, client, await look(), flags);
}

async function wanted(client: ApiClient, operands: readonly string[]): Promise<readonly FoundTask[]> {
  if (operands.length === 0) return runningTasks(client, []);
  const services: ServiceDocument[] = [];
  const tasks: FoundTask[] = [];
  for (const operand of operands) {
    const service = await serviceNamed(client, operand);
    if (service !== undefined) services.push(service);
    else tasks.push(...((await tasksNamed(client, operand)) ?? [unknown(operand)]));
  }
  return [...(services.length === 0 ? [] : await runningTasks(client, services)), ...tasks];
}

const unique = (tasks: readonly FoundTask[]): readonly FoundTask[] => [
  ...new Map(tasks.map((task) => [task.id, task])).values(),
];

function unknown(operand: string): never {
  throw new BaleError(`no such service or running task: ${operand}`, {
    kind: 'not-found',
    code: 'BALE_SERVICE_NOT_FOUND',
  });
}

async function once(
  context: Context,
  client: ApiClient,
  tasks: readonly FoundTask[],
  flags: StatsFlags,
): Promise<void> {
  let failed = false;
  const rows = await Promise.all(
    tasks.map(async (task): Promise<StatsRow> => {
      try {
        return { task, figures: await sampleOnce(client, task) };
      } catch (error) {
        failed = true;
        context.warn(`${task.name}: ${error instanceof Error ? error.message : String(error)}\n`);
        return { task };
      }
    }),
  );
  context.print(renderList(statsColumns(!flags.trunc), rows, flags));
  if (failed) throw new FailedOperands();
}

async function follow(
  context: Context,
  client: ApiClient,
  look: () => Promise<readonly FoundTask[]>,
  flags: StatsFlags,
): Promise<void> {
  const { signal } = context;
  let feeds = open(client, new Map(), await look());
  let lookAt = Date.now() + LOOK_EVERY_MS;
  try {
    while (!signal.aborted) {
      const rows = [...feeds.values()].map(({ task, figures }) => ({
        task,
        ...(figures === undefined ? {} : { figures }),
      }));
      context.print(screen(renderList(statsColumns(!flags.trunc), rows, flags), context));
      await pause(DRAW_EVERY_MS, signal);
      if (Date.now() < lookAt) continue;
      // A manager that is away for a moment ends nothing: the table stays as it was.
      feeds = open(client, feeds, await look().catch(() => [...feeds.values()].map(({ task }) => task)));
      lookAt = Date.now() + LOOK_EVERY_MS;
    }
  } finally {
    for (const feed of feeds.values()) feed.close();
  }
}

/** One feed for each task: those that are there go on, those of tasks that have gone are closed. */
function open(
  client: ApiClient,
  feeds: ReadonlyMap<string, StatsFeed>,
  tasks: readonly FoundTask[],
): ReadonlyMap<string, StatsFeed> {
  const next = new Map(tasks.map((task) => [task.id, usable(feeds.get(task.id)) ?? new StatsFeed(client, task)]));
  for (const [id, feed] of feeds) if (next.get(id) !== feed) feed.close();
  return next;
}

const usable = (feed: StatsFeed | undefined): StatsFeed | undefined => (feed?.isOver === true ? undefined : feed);

/** On a terminal drawn over, as docker does; elsewhere one table after the other. */
function screen(text: string, { terminal }: Context): string {
  if (terminal === undefined) return text;
  const lines = text.split('\n').slice(0, Math.max(1, terminal.rows - 1));
  return `\u001b[H${lines.map((line) => `${line.slice(0, terminal.columns)}\u001b[K`).join('\n')}\u001b[J`;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
