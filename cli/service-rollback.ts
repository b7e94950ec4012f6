import type { Command } from 'commander';
import type { Context } from './context.js';
import { parseCount } from './flags/quantity.js';
import type { WaitFlags } from './update/run-update.js';

/** `service rollback`, `service history` and `service restart`. */
export function registerServiceRollback(service: Command, context: Context): void {
  service
    .command('rollback')
    .description('Go back to the previous spec of a service, or to one that `service history` lists')
    .argument('<service>', 'Id or name')
    .option('--to <version>', 'Version to go back to (default: the previous spec)')
    .option('-d, --detach', 'Return at once; do not wait for the rollback')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', '\nExamples:\n  bale service rollback web\n  bale service rollback --to 42 web')
    .action(async (name: string, flags: WaitFlags & { to?: string }) => {
      const { rollbackService, rollbackServiceTo } = await import('./update/run-update.js');
      if (flags.to === undefined) await rollbackService(context, name, flags);
      else await rollbackServiceTo(context, name, parseCount('--to', flags.to), flags);
    });

  service
    .command('history')
    .description('List the specs that a service had, the newest first, and what each changed')
    .argument('<service>', 'Id or name')
    .option('--format <format>', 'table, json, or a Go template')
    .option('-q, --quiet', 'Only print versions')
    .addHelpText('after', '\nExample:\n  bale service history web')
    .action(async (name: string, flags: { format?: string; quiet?: boolean }) => {
      const { printHistory } = await import('./view/history.js');
      await printHistory(context, name, flags);
    });

  service
    .command('restart')
    .description('Replace all tasks of a service, a few at a time (service update --force)')
    .argument('<service>', 'Id or name')
    .option('-d, --detach', 'Return at once; do not wait for the restart')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', '\nExample:\n  bale service restart web')
    .action(async (name: string, flags: WaitFlags) => {
      const { restartService } = await import('./update/run-update.js');
      await restartService(context, name, flags);
    });
}
