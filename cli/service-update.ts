import type { Command } from 'commander';
import type { PastSpecDocument, ServiceDocument } from '../proto/engine/service-document.js';
import { usageError } from './flags/usage-error.js';
import type { Context } from './context.js';
import { collect } from './flags/filter.js';
import { updatedSpec, type UpdateFlags } from './flags/update-spec.js';
import { renderList, type Column } from './view/list.js';
import { waitForService } from './view/progress.js';

interface Following {
  readonly detach?: boolean;
  readonly quiet?: boolean;
}

const path = (service: string): string => `/services/${encodeURIComponent(service)}`;

export function registerServiceUpdate(service: Command, context: Context): void {
  const update = service
    .command('update')
    .description('Change a service, slot by slot')
    .argument('<service>', 'Id or name')
    .option('--image <image>', 'Image')
    .option('--args <command>', 'Arguments')
    .option('--entrypoint <command>', 'Instead of the image’s entrypoint')
    .option('--replicas <number>', 'Number of tasks')
    .option('--force', 'Replace all tasks, also when nothing changed')
    .option('--rollback', 'Back to the spec before')
    .option('-w, --workdir <directory>', 'Working directory in the container')
    .option('-u, --user <user>', 'User name or id, with an optional group: NAME[:GROUP]')
    .option('--hostname <name>', 'Host name of the containers')
    .option('--stop-signal <signal>', 'Signal that stops the container')
    .option('--stop-grace-period <duration>', 'Time before it is killed')
    .option('--limit-cpu <cpus>', 'Limit of CPUs')
    .option('--limit-memory <bytes>', 'Limit of memory')
    .option('--limit-pids <number>', 'Limit of processes (0 = none)')
    .option('--reserve-cpu <cpus>', 'CPUs a node must have free')
    .option('--reserve-memory <bytes>', 'Memory a node must have free')
    .option('--restart-condition <condition>', 'When to restart: none, on-failure, any')
    .option('--restart-delay <duration>', 'Delay between restarts')
    .option('--restart-max-attempts <number>', 'Restarts before giving up')
    .option('--restart-window <duration>', 'Window in which attempts count')
    .option('-d, --detach', 'Return at once; do not wait until it is done')
    .option('-q, --quiet', 'No progress');
  for (const [noun, what, rm] of SETS) {
    update.option(`--${noun}-add <value>`, `Add or replace ${what}`, collect);
    update.option(`--${noun}-rm <value>`, `Remove ${what}, by ${rm}`, collect);
  }
  rolloutOptions(update);
  update.action(async (id: string, flags: UpdateFlags & Following & { rollback?: boolean }) => {
    if (flags.rollback === true) await rollBack(context, id, flags);
    else await change(context, id, flags);
  });

  service
    .command('rollback')
    .description('Bring back an earlier spec of a service, slot by slot')
    .argument('<service>', 'Id or name')
    .option('--to <version>', 'One of `service history` (default: the spec before the present one)')
    .option('-d, --detach', 'Return at once; do not wait until it is done')
    .option('-q, --quiet', 'No progress')
    .action(async (id: string, flags: Following & { to?: string }) => rollBack(context, id, flags));

  service
    .command('history')
    .description('List the earlier specs of a service, the newest first')
    .argument('<service>', 'Id or name')
    .option('--format <format>', 'table, json, or a Go template')
    .action(async (id: string, { format }: { format?: string }) => {
      const client = await context.connect();
      const past = await client.get<PastSpecDocument[]>(`/bale${path(id)}/history`);
      context.print(renderList(COLUMNS, past, { format }));
    });
}

/** Sets that an update adds to and takes from: flag, noun, by what a member is named. */
const SETS = [
  ['env', 'an environment variable', 'name'],
  ['label', 'a service label', 'key'],
  ['container-label', 'a container label', 'key'],
  ['publish', 'a published port', 'target port'],
  ['mount', 'a mount', 'target'],
] as const;

/** `--update-*` and `--rollback-*`. */
function rolloutOptions(command: Command): void {
  for (const kind of ['update', 'rollback'] as const) {
    command
      .option(`--${kind}-parallelism <number>`, 'Slots changed at once (0 = all)')
      .option(`--${kind}-delay <duration>`, 'Between two slots')
      .option(`--${kind}-monitor <duration>`, 'How long a new task is watched')
      .option(`--${kind}-failure-action <action>`, 'On failure: pause, continue, rollback')
      .option(`--${kind}-max-failure-ratio <ratio>`, 'Failures to tolerate')
      .option(`--${kind}-order <order>`, 'start-first or stop-first');
  }
}

const COLUMNS: readonly Column<PastSpecDocument>[] = [
  { field: 'Version', heading: 'VERSION', value: ({ Version }) => String(Version.Index) },
  { field: 'UpdatedAt', heading: 'WRITTEN', value: ({ UpdatedAt }) => UpdatedAt },
  { field: 'Image', heading: 'IMAGE', value: ({ Spec }) => Spec.TaskTemplate.ContainerSpec.Image },
  { field: 'Replicas', heading: 'REPLICAS', value: ({ Spec }) => String(Spec.Mode.Replicated?.Replicas ?? 1) },
];

async function change(context: Context, id: string, flags: UpdateFlags & Following): Promise<void> {
  const client = await context.connect();
  const service = await client.get<ServiceDocument>(path(id), { insertDefaults: false });
  const spec = await updatedSpec(service.Spec, flags, context.env);
  await client.post(`${path(service.ID)}/update`, spec, { version: service.Version.Index });
  context.print(`${id}\n`);
  if (flags.detach !== true) await waitForService(context, client, service.ID, { quiet: flags.quiet === true });
}

async function rollBack(context: Context, id: string, flags: Following & { readonly to?: string }): Promise<void> {
  if (flags.to !== undefined && !/^\d+$/.test(flags.to)) {
    throw usageError('--to', flags.to, 'write a version that `bale service history` shows');
  }
  const client = await context.connect();
  const service = await client.get<ServiceDocument>(path(id), { insertDefaults: false });
  if (flags.to === undefined) {
    const query = { version: service.Version.Index, rollback: 'previous' };
    await client.post(`${path(service.ID)}/update`, service.Spec, query);
  } else {
    await client.post(`/bale${path(service.ID)}/rollback`, undefined, { to: flags.to });
  }
  context.print(`${id}\n`);
  if (flags.detach !== true) await waitForService(context, client, service.ID, { quiet: flags.quiet === true });
}
