import type { Command } from 'commander';
import { BaleError } from '../core/errors.js';
import type { ServiceDocument } from '../proto/engine/service-document.js';
import { modeOf } from '../proto/engine/service-mode.js';
import type { PortConfig } from '../proto/engine/service-spec.js';
import type { TaskDocument } from '../proto/engine/task-document.js';
import { forEachOperand, type Context } from './context.js';
import { collect, filtersQuery, parseFilters } from './flags/filter.js';
import { taskListFlags } from './node.js';
import { registerLogs } from './service-logs.js';
import { registerServiceCreate } from './service-create.js';
import { registerServiceRollback } from './service-rollback.js';
import { registerServiceRebalance } from './service-rebalance.js';
import { registerServiceScale } from './service-scale.js';
import { registerServiceSchedule } from './service-schedule.js';
import { registerServiceUpdate } from './service-update.js';
import { renderInspect } from './view/inspect.js';
import { renderList, type Column } from './view/list.js';
import { prettyService } from './view/pretty-service.js';
import { replicasText } from './view/replicas-text.js';
import { renderTasks } from './view/task-list.js';
import { naturalOrder } from './view/natural-order.js';

interface ListFlags {
  readonly filter?: readonly string[];
  readonly quiet?: boolean;
  readonly format?: string;
}

interface TaskFlags extends ListFlags {
  readonly resolve: boolean;
  readonly trunc: boolean;
}

export function registerService(program: Command, context: Context): void {
  const service = program.command('service').description('Manage services');
  registerServiceCreate(service, context);
  registerServiceUpdate(service, context);
  registerServiceRollback(service, context);
  registerLogs(service, context);
  registerServiceScale(service, context);
  registerServiceRebalance(service, context);
  registerServiceSchedule(service, context);

  service
    .command('ls')
    .alias('list')
    .description('List services')
    .option('-f, --filter <filter>', 'Filter, e.g. name=web (id, label, mode, name)', collect)
    .option('--format <format>', 'table, json, or a Go template')
    .option('-q, --quiet', 'Only print ids')
    .addHelpText('after', '\nExample:\n  bale service ls --filter name=web')
    .action(async (flags: ListFlags) => list(context, flags));

  service
    .command('ps')
    .description('List the tasks of one or more services')
    .argument('<service...>', 'Id or name')
    .option('-f, --filter <filter>', 'Filter, e.g. desired-state=running (id, name, node)', collect)
    .option('--format <format>', 'table, json, or a Go template')
    .option('--no-resolve', 'Show ids instead of names')
    .option('--no-trunc', 'Show ids and errors whole')
    .option('-q, --quiet', 'Only print task ids')
    .addHelpText('after', '\nExample:\n  bale service ps --no-trunc web')
    .action(async (ids: string[], flags: TaskFlags) => tasks(context, ids, flags));

  service
    .command('inspect')
    .description('Show one or more services in full')
    .argument('<service...>', 'Id or name')
    .option('-f, --format <format>', 'json or a Go template')
    .option('--pretty', 'For people to read')
    .addHelpText('after', '\nExample:\n  bale service inspect --pretty web')
    .action(async (ids: string[], flags: { format?: string; pretty?: boolean }) => {
      const client = await context.connect();
      const documents: ServiceDocument[] = [];
      await forEachOperand(context, ids, async (id) => {
        documents.push(
          await client.get<ServiceDocument>(`/services/${encodeURIComponent(id)}`, { insertDefaults: true }),
        );
      }).finally(() => {
        if (flags.pretty === true) context.print(documents.map(prettyService).join('\n'));
        else context.print(renderInspect(documents, flags.format));
      });
    });

  service
    .command('rm')
    .alias('remove')
    .description('Remove one or more services')
    .argument('<service...>', 'Id or name')
    .addHelpText('after', '\nExample:\n  bale service rm web worker')
    .action(async (ids: string[]) => {
      const client = await context.connect();
      await forEachOperand(context, ids, async (id) => {
        await client.delete(`/services/${encodeURIComponent(id)}`);
        context.print(`${id}\n`);
      });
    });
}

async function list(context: Context, flags: ListFlags): Promise<void> {
  const client = await context.connect();
  const filters = filtersQuery(parseFilters(flags.filter ?? []));
  const services = await client.get<ServiceDocument[]>('/services', { filters, status: true });
  services.sort((a, b) => naturalOrder(a.Spec.Name, b.Spec.Name));
  if (flags.quiet === true) context.print(services.map(({ ID }) => `${ID.slice(0, 12)}\n`).join(''));
  else context.print(renderList(COLUMNS, services, { format: flags.format }));
  for (const { Spec, portErrors = [] } of services) {
    for (const { error, notice } of portErrors) if (notice !== true) context.warn(`${Spec.Name}: ${error}\n`);
  }
}

const COLUMNS: readonly Column<ServiceDocument>[] = [
  { field: 'ID', heading: 'ID', value: ({ ID }) => ID.slice(0, 12) },
  { field: 'Name', heading: 'NAME', value: ({ Spec }) => Spec.Name },
  { field: 'Mode', heading: 'MODE', value: ({ Spec }) => modeOf(Spec.Mode).replace('-', ' ') },
  {
    field: 'Replicas',
    heading: 'REPLICAS',
    value: (service) => replicasText(service, Date.now()),
  },
  {
    field: 'Image',
    heading: 'IMAGE',
    value: ({ Spec }) => Spec.TaskTemplate.ContainerSpec.Image.replace(/@sha256:[0-9a-f]+$/, ''),
  },
  {
    field: 'Ports',
    heading: 'PORTS',
    value: ({ Endpoint }) => (Endpoint.Ports ?? []).filter(isIngress).map(portText).join(', '),
  },
];

const isIngress = ({ PublishMode }: PortConfig): boolean => PublishMode !== 'host';

const portText = ({ PublishedPort, TargetPort, Protocol }: PortConfig): string =>
  `*:${PublishedPort ?? 0}->${TargetPort ?? 0}/${Protocol ?? 'tcp'}`;

async function tasks(context: Context, names: readonly string[], flags: TaskFlags): Promise<void> {
  const client = await context.connect();
  const found: TaskDocument[] = [];
  const services = new Map<string, string>();
  const failed: unknown[] = [];
  await forEachOperand(context, names, async (name) => {
    const service = await client
      .get<ServiceDocument>(`/services/${encodeURIComponent(name)}`)
      .catch((error: unknown) => {
        throw error instanceof BaleError && error.kind === 'not-found' ? noSuchService(name) : error;
      });
    services.set(service.ID, service.Spec.Name);
    const filters = { ...parseFilters(flags.filter ?? []), service: { [service.ID]: true } };
    found.push(...(await client.get<TaskDocument[]>('/tasks', { filters: filtersQuery(filters) })));
  }).catch((error: unknown) => failed.push(error));
  if (found.length > 0 || failed.length === 0)
    context.print(await renderTasks(client, found, taskListFlags(flags), Date.now(), { services }));
  if (failed.length > 0) throw failed[0];
}

const noSuchService = (name: string): BaleError =>
  new BaleError(`no such service: ${name}`, { kind: 'not-found', code: 'BALE_SERVICE_NOT_FOUND' });
