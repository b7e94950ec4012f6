import type { Command } from 'commander';
import { BaleError } from '../core/errors.js';
import type { ServiceMode } from '../proto/engine/service-spec.js';
import { forEachOperand, holdInterrupt, type Context } from './context.js';
import { parseCount } from './flags/quantity.js';
import { usageError } from './flags/usage-error.js';
import type { ApiClient } from './client.js';
import type { WaitFlags } from './update/run-update.js';

export function registerServiceScale(service: Command, context: Context): void {
  service
    .command('scale')
    .description('Set the number of replicas of one or more services')
    .argument('<service=replicas...>', 'For example web=5')
    .option('-d, --detach', 'Return at once; do not wait until the services run')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', '\nExample:\n  bale service scale web=5 worker=2')
    .action(async (wishes: string[], flags: WaitFlags) => scale(context, wishes, flags));
}

async function scale(context: Context, wishes: readonly string[], flags: WaitFlags): Promise<void> {
  const replicas = new Map(wishes.map(parseWish));
  const client = await context.connect();
  const scaled: string[] = [];
  try {
    await forEachOperand(context, [...replicas.keys()], async (name) => {
      holdInterrupt(context);
      await setReplicas(client, name, replicas.get(name) ?? 0);
      context.print(`${name} scaled to ${replicas.get(name) ?? 0}\n`);
      scaled.push(name);
    });
  } finally {
    if (flags.detach !== true && scaled.length > 0) {
      const { waitForServices } = await import('./view/progress.js');
      await waitForServices(context, client, scaled, { quiet: flags.quiet === true });
    }
  }
}

/** `web=5`; of two for one service the later counts. */
function parseWish(wish: string): readonly [string, number] {
  const [name = '', count] = wish.split('=', 2);
  if (name === '' || count === undefined) throw usageError('scale', wish, 'write it as SERVICE=REPLICAS');
  return [name, parseCount('scale', count)];
}

async function setReplicas(client: ApiClient, name: string, replicas: number): Promise<void> {
  const { readService } = await import('./update/run-update.js');
  const service = await readService(client, name);
  const spec = { ...service.Spec, Mode: scaledMode(name, service.Spec.Mode, replicas) };
  await client.post(`/services/${service.ID}/update`, spec, { version: service.Version.Index });
}

/** Of a job, as docker has it, the number of completions. */
function scaledMode(name: string, { Replicated, ReplicatedJob }: ServiceMode, replicas: number): ServiceMode {
  if (Replicated !== undefined) return { Replicated: { ...Replicated, Replicas: replicas } };
  if (ReplicatedJob !== undefined) return { ReplicatedJob: { ...ReplicatedJob, TotalCompletions: replicas } };
  throw new BaleError(`${name}: scale can only be used with replicated or replicated-job mode`, {
    kind: 'invalid',
    code: 'BALE_SCALE_MODE',
  });
}
