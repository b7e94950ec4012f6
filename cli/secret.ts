import type { Command } from 'commander';
import type { PayloadDocument, PayloadVersionDocument } from '../proto/engine/payload-document.js';
import { forEachOperand, type Context } from './context.js';
import { collect, filtersQuery, parseFilters } from './flags/filter.js';
import { registerSecretChanges } from './secret-change.js';
import { renderInspect } from './view/inspect.js';
import { renderList, type Column } from './view/list.js';
import { ago } from './view/relative-time.js';
import { naturalOrder } from './view/natural-order.js';

export type SecretNoun = 'secret' | 'config';

interface ListFlags {
  readonly filter?: readonly string[];
  readonly quiet?: boolean;
  readonly format?: string;
}

/** `bale secret` and `bale config`, whose verbs are the same. */
export function registerSecrets(program: Command, context: Context): void {
  for (const noun of ['secret', 'config'] as const) registerNoun(program, context, noun);
}

function registerNoun(program: Command, context: Context, noun: SecretNoun): void {
  const command = program.command(noun).description(`Manage ${noun}s: files that tasks get in memory`);
  registerSecretChanges(command, context, noun);

  command
    .command('ls')
    .alias('list')
    .description(`List ${noun}s, each name once`)
    .option('-f, --filter <filter>', 'Filter, e.g. name=db (id, label, name)', collect)
    .option('--format <format>', 'table, json, or a Go template')
    .option('-q, --quiet', 'Only print ids')
    .addHelpText('after', `\nExample:\n  bale ${noun} ls --filter label=app=web`)
    .action(async (flags: ListFlags) => list(context, noun, flags));

  command
    .command('inspect')
    .description(noun === 'secret' ? 'Show secrets, without their data' : 'Show configs in full')
    .argument(`<${noun}...>`, 'Id or name')
    .option('-f, --format <format>', 'json or a Go template')
    .option('--pretty', 'For people to read')
    .addHelpText('after', `\nExample:\n  bale ${noun} inspect --pretty db`)
    .action(async (ids: string[], flags: { format?: string; pretty?: boolean }) => {
      const client = await context.connect();
      const documents: PayloadDocument[] = [];
      await forEachOperand(context, ids, async (id) => {
        documents.push(await client.get<PayloadDocument>(`/${noun}s/${encodeURIComponent(id)}`));
      }).finally(() => {
        if (flags.pretty === true) context.print(documents.map(pretty).join('\n'));
        else context.print(renderInspect(documents, flags.format));
      });
    });

  command
    .command('versions')
    .description(`List the versions of a ${noun} and who uses them`)
    .argument(`<${noun}>`, 'Id or name')
    .option('--format <format>', 'table, json, or a Go template')
    .addHelpText('after', `\nExample:\n  bale ${noun} versions db`)
    .action(async (id: string, { format }: { format?: string }) => {
      const client = await context.connect();
      const path = `/bale/${noun}s/${encodeURIComponent(id)}/versions`;
      const versions = await client.get<PayloadVersionDocument[]>(path);
      context.print(renderList(versionColumns(Date.now()), versions, { format }));
    });
}

async function list(context: Context, noun: SecretNoun, flags: ListFlags): Promise<void> {
  const client = await context.connect();
  const filters = filtersQuery(parseFilters(flags.filter ?? []));
  const documents = await client.get<PayloadDocument[]>(`/${noun}s`, { filters });
  documents.sort((a, b) => naturalOrder(a.Spec.Name, b.Spec.Name));
  if (flags.quiet === true) context.print(documents.map(({ ID }) => `${ID}\n`).join(''));
  else context.print(renderList(columns(noun, Date.now()), documents, { format: flags.format }));
}

const columns = (noun: SecretNoun, now: number): readonly Column<PayloadDocument>[] => [
  { field: 'ID', heading: 'ID', value: ({ ID }) => ID },
  { field: 'Name', heading: 'NAME', value: ({ Spec }) => Spec.Name },
  { field: 'DataVersion', heading: 'VERSION', value: ({ dataVersion }) => String(dataVersion) },
  // docker's column; there are no drivers here.
  ...(noun === 'secret' ? [{ field: 'Driver', heading: 'DRIVER', value: () => '', hidden: true }] : []),
  { field: 'CreatedAt', heading: 'CREATED', value: ({ CreatedAt }) => ago(CreatedAt, now) },
  { field: 'UpdatedAt', heading: 'UPDATED', value: ({ UpdatedAt }) => ago(UpdatedAt, now) },
  { field: 'Labels', heading: 'LABELS', value: ({ Spec }) => labelText(Spec.Labels), hidden: true },
];

const versionColumns = (now: number): readonly Column<PayloadVersionDocument>[] => [
  { field: 'DataVersion', heading: 'VERSION', value: ({ dataVersion }) => String(dataVersion) },
  { field: 'ID', heading: 'ID', value: ({ ID }) => ID },
  { field: 'CreatedAt', heading: 'CREATED', value: ({ CreatedAt }) => ago(CreatedAt, now) },
  { field: 'Services', heading: 'SERVICES', value: ({ services }) => services.join(', ') },
];

const labelText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');

function pretty({ ID, Spec, CreatedAt, UpdatedAt, dataVersion }: PayloadDocument): string {
  const when = (time: string): string => time.replace('T', ' ').replace('Z', ' +0000 utc');
  const lines = [
    `ID:\t\t\t${ID}`,
    `Name:\t\t\t${Spec.Name}`,
    `Version:\t\t${dataVersion}`,
    ...(Object.keys(Spec.Labels).length === 0 ? [] : ['Labels:']),
    ...Object.entries(Spec.Labels)
      .sort()
      .map(([key, value]) => ` - ${key}=${value}`),
    ...(Spec.Templating === undefined ? [] : [`Template driver:\t${Spec.Templating.Name}`]),
    `Created at:            \t${when(CreatedAt)}`,
    `Updated at:            \t${when(UpdatedAt)}`,
    ...(Spec.Data === undefined ? [] : ['Data:', Buffer.from(Spec.Data, 'base64').toString('utf8')]),
  ];
  return `${lines.join('\n')}\n`;
}
