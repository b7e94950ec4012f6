import type { Command } from 'commander';
import type { NodeDocument } from '../proto/engine/node-document.js';
import type { SwarmInfo } from '../proto/engine/swarm-document.js';
import type { TaskDocument } from '../proto/engine/task-document.js';
import type { ApiClient } from './client.js';
import { forEachOperand, type Context } from './context.js';
import { registerNodeDrain } from './node-drain.js';
import { registerNodeUpdate } from './node-update.js';
import { collect, filtersQuery, parseFilters } from './flags/filter.js';
import { renderInspect } from './view/inspect.js';
import { renderList, type Column } from './view/list.js';
import { prettyNode } from './view/pretty-node.js';
import { capital, renderTasks, type TaskListFlags } from './view/task-list.js';
import { naturalOrder } from './view/natural-order.js';

interface ListFlags {
  readonly filter?: readonly string[];
  readonly quiet?: boolean;
  readonly format?: string;
}

export function registerNode(program: Command, context: Context): void {
  const node = program.command('node').description('Manage nodes');

  registerNodeUpdate(node, context);
  registerNodeDrain(node, context);

  node
    .command('ls')
    .alias('list')
    .description('List nodes')
    .option(
      '-f, --filter <filter>',
      'Filter, e.g. role=worker (id, label, node.label, membership, name, role)',
      collect,
    )
    .option('--format <format>', 'table, json, or a Go template')
    .option('-q, --quiet', 'Only print ids')
    .addHelpText('after', '\nExample:\n  bale node ls --filter role=worker')
    .action(async (flags: ListFlags) => list(context, flags));

  node
    .command('inspect')
    .description('Show one or more nodes in full')
    .argument('<node...>', 'Id, hostname, or self')
    .option('-f, --format <format>', 'json or a Go template')
    .option('--pretty', 'For people to read')
    .addHelpText('after', '\nExample:\n  bale node inspect --pretty self')
    .action(async (ids: string[], flags: { format?: string; pretty?: boolean }) => {
      const client = await context.connect();
      const documents: NodeDocument[] = [];
      await forEachOperand(context, ids, async (id) => {
        documents.push(await client.get<NodeDocument>(`/nodes/${encodeURIComponent(await resolveSelf(client, id))}`));
      }).finally(() => {
        if (flags.pretty === true) context.print(documents.map(prettyNode).join('\n'));
        else context.print(renderInspect(documents, flags.format));
      });
    });

  node
    .command('ps')
    .description('List the tasks of one or more nodes; of this one unless named')
    .argument('[node...]', 'Id, hostname, or self')
    .option('-f, --filter <filter>', 'Filter, e.g. desired-state=running (id, label, name)', collect)
    .option('--format <format>', 'table, json, or a Go template')
    .option('--no-resolve', 'Show ids instead of names')
    .option('--no-trunc', 'Show ids and errors whole')
    .option('-q, --quiet', 'Only print task ids')
    .addHelpText('after', '\nExample:\n  bale node ps h2')
    .action(async (ids: string[], flags: TaskFlags) => tasks(context, ids, flags));

  node
    .command('rm')
    .alias('remove')
    .description('Remove one or more nodes from the cluster; their certificates are refused from then on')
    .argument('<node...>', 'Id or hostname')
    .option('-f, --force', 'Remove a node that is not down')
    .addHelpText('after', '\nExample:\n  bale node rm --force h2')
    .action(async (ids: string[], { force }: { force?: boolean }) => {
      const client = await context.connect();
      await forEachOperand(context, ids, async (id) => {
        await client.delete(`/nodes/${encodeURIComponent(id)}`, { force: force === true ? 1 : undefined });
        context.print(`${id}\n`);
      });
    });
}

interface TaskFlags {
  readonly filter?: readonly string[];
  readonly format?: string;
  readonly quiet?: boolean;
  /** commander turns `--no-resolve` and `--no-trunc` into these. */
  readonly resolve: boolean;
  readonly trunc: boolean;
}

async function list(context: Context, flags: ListFlags): Promise<void> {
  const client = await context.connect();
  const asked = client.get<NodeDocument[]>('/nodes', { filters: filtersQuery(parseFilters(flags.filter ?? [])) });
  // Both are asked for at once; what goes wrong is said of the nodes first.
  const own = flags.quiet === true ? Promise.resolve('') : ownId(client);
  own.catch(() => undefined);
  const nodes = await asked;
  nodes.sort((a, b) => naturalOrder(a.Description.Hostname, b.Description.Hostname));
  if (flags.quiet === true) {
    context.print(nodes.map(({ ID }) => `${ID}\n`).join(''));
    return;
  }
  const self = nodes.length === 0 ? '' : await own;
  context.print(renderList(columns(self, flags.format), nodes, { format: flags.format }));
  for (const { Description, Status, drain, portErrors = [] } of nodes) {
    if (drain !== undefined && drain.tasksLeft > 0) {
      context.warn(
        `${Description.Hostname}: draining, ${drain.tasksLeft} ${drain.tasksLeft === 1 ? 'task' : 'tasks'} left\n`,
      );
    }
    if (Status.Message !== undefined && Status.Message !== '' && Status.State !== 'ready') {
      context.warn(`${Description.Hostname}: ${Status.Message}\n`);
    }
    for (const { error, notice } of portErrors) {
      if (notice !== true) context.warn(`${Description.Hostname}: ${error}\n`);
    }
  }
}

const columns = (self: string, format: string | undefined): readonly Column<NodeDocument>[] => [
  {
    field: 'ID',
    heading: 'ID',
    value: ({ ID }) => (format === undefined || format === 'table' ? `${ID}${ID === self ? ' *' : '  '}` : ID),
  },
  { field: 'Self', heading: 'SELF', value: ({ ID }) => String(ID === self), hidden: true },
  { field: 'Hostname', heading: 'HOSTNAME', value: ({ Description }) => Description.Hostname },
  { field: 'Status', heading: 'STATUS', value: ({ Status }) => capital(Status.State) },
  { field: 'Availability', heading: 'AVAILABILITY', value: ({ Spec }) => capital(Spec.Availability) },
  {
    field: 'ManagerStatus',
    heading: 'MANAGER STATUS',
    value: ({ ManagerStatus }) =>
      ManagerStatus === undefined ? '' : ManagerStatus.Leader === true ? 'Leader' : capital(ManagerStatus.Reachability),
  },
  { field: 'TasksLeft', heading: 'TASKS LEFT', value: ({ drain }) => String(drain?.tasksLeft ?? ''), hidden: true },
  { field: 'EngineVersion', heading: 'ENGINE VERSION', value: ({ Description }) => Description.Engine.EngineVersion },
];

async function tasks(context: Context, ids: readonly string[], flags: TaskFlags): Promise<void> {
  const client = await context.connect();
  const found: TaskDocument[] = [];
  const nodes = new Map<string, string>();
  await forEachOperand(context, ids.length === 0 ? ['self'] : ids, async (id) => {
    const node = await client.get<NodeDocument>(`/nodes/${encodeURIComponent(await resolveSelf(client, id))}`);
    nodes.set(node.ID, node.Description.Hostname);
    const filters = { ...parseFilters(flags.filter ?? []), node: { [node.ID]: true } };
    found.push(...(await client.get<TaskDocument[]>('/tasks', { filters: filtersQuery(filters) })));
  });
  context.print(await renderTasks(client, found, taskListFlags(flags), Date.now(), { nodes }));
}

export const taskListFlags = ({ resolve, trunc, quiet, format }: TaskFlags): TaskListFlags => ({
  noResolve: !resolve,
  noTrunc: !trunc,
  quiet: quiet === true,
  ...(format === undefined ? {} : { format }),
});

const ownId = async (client: ApiClient): Promise<string> =>
  (await client.get<{ Swarm: SwarmInfo }>('/info')).Swarm.NodeID;

const resolveSelf = async (client: ApiClient, id: string): Promise<string> => (id === 'self' ? ownId(client) : id);
