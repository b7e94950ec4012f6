import type { Command } from 'commander';
import { BaleError, errorMessage } from '../core/errors.js';
import type { PayloadDocument, RotationDocument } from '../proto/engine/payload-document.js';
import { forEachOperand, type Context } from './context.js';
import { collect } from './flags/filter.js';
import { parseLabels } from './flags/labels.js';
import type { SecretNoun } from './secret.js';
import { patchMap } from './update/keyed.js';

interface CreateFlags {
  readonly label?: readonly string[];
  readonly templateDriver?: string;
  readonly driver?: string;
}

/** The verbs of `bale secret` and `bale config` that change something. */
export function registerSecretChanges(command: Command, context: Context, noun: SecretNoun): void {
  command
    .command('create')
    .description(`Create a ${noun} from a file, or from standard input`)
    .argument('<name>', 'Its name')
    .argument('[file]', 'File to read; "-" is standard input', '-')
    .option('-l, --label <label>', 'Label', collect)
    .option('--template-driver <driver>', 'Expand the data for each task: golang')
    .option('-d, --driver <driver>', 'Driver (there are none)')
    .addHelpText('after', `\nExample:\n  bale ${noun} create db ./db.txt`)
    .action(async (name: string, file: string, flags: CreateFlags) => {
      const data = await readData(file);
      const client = await context.connect();
      const { templateDriver, driver } = flags;
      const { ID } = await client.post<{ ID: string }>(`/${noun}s/create`, {
        Name: name,
        Labels: parseLabels(flags.label ?? []),
        Data: data,
        ...(driver === undefined ? {} : { Driver: { Name: driver } }),
        ...(templateDriver === undefined ? {} : { Templating: { Name: templateDriver } }),
      });
      context.print(`${ID}\n`);
    });

  command
    .command('rotate')
    .description(`Give a ${noun} new data, and roll the services that use it to the new version`)
    .argument(`<${noun}>`, 'Id or name')
    .argument('[file]', 'File to read; "-" is standard input', '-')
    .option('-d, --detach', 'Return at once; do not wait for the services')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', `\nExample:\n  bale ${noun} rotate db ./db-new.txt`)
    .action(async (name: string, file: string, flags: { detach?: boolean; quiet?: boolean }) => {
      const Data = await readData(file);
      const client = await context.connect();
      const path = `/bale/${noun}s/${encodeURIComponent(name)}/rotate`;
      const { ID, dataVersion, services } = await client.post<RotationDocument>(path, { Data });
      context.print(`${ID}\n`);
      context.warn(
        `${name} is at version ${dataVersion}; ${services.length === 0 ? 'no service uses another' : `rolls ${services.join(', ')}`}\n`,
      );
      if (flags.detach === true) return;
      const { waitForService } = await import('./view/progress.js');
      await forEachOperand(context, services, (service) =>
        waitForService(context, client, service, { quiet: flags.quiet === true }),
      );
    });

  command
    .command('update')
    .description(`Change the labels of a ${noun}`)
    .argument(`<${noun}>`, 'Id or name')
    .option('--label-add <label>', 'Add or change a label', collect)
    .option('--label-rm <key>', 'Remove a label', collect)
    .addHelpText('after', `\nExample:\n  bale ${noun} update --label-add app=web db`)
    .action(async (name: string, flags: { labelAdd?: readonly string[]; labelRm?: readonly string[] }) => {
      const client = await context.connect();
      const { ID, Version, Spec } = await client.get<PayloadDocument>(`/${noun}s/${encodeURIComponent(name)}`);
      const Labels = patchMap(Spec.Labels, parseLabels(flags.labelAdd ?? []), flags.labelRm);
      await client.post(`/${noun}s/${ID}/update`, { ...Spec, Labels }, { version: Version.Index });
      context.print(`${name}\n`);
    });

  command
    .command('rm')
    .alias('remove')
    .description(`Remove one or more ${noun}s with all their versions`)
    .argument(`<${noun}...>`, 'Id or name')
    .addHelpText('after', `\nExample:\n  bale ${noun} rm db`)
    .action(async (names: string[]) => {
      const client = await context.connect();
      await forEachOperand(context, names, async (name) => {
        await client.delete(`/${noun}s/${encodeURIComponent(name)}`);
        context.print(`${name}\n`);
      });
    });
}

/** base64 of a file, or of standard input. */
async function readData(file: string): Promise<string> {
  try {
    const { buffer } = await import('node:stream/consumers');
    const { readFile } = await import('node:fs/promises');
    const data = file === '-' ? await buffer(process.stdin) : await readFile(file);
    return data.toString('base64');
  } catch (error) {
    throw new BaleError(`error reading content from "${file}": ${errorMessage(error)}`, {
      kind: 'invalid',
      code: 'BALE_FLAG_INVALID',
    });
  }
}
