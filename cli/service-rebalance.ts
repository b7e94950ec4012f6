import type { Command } from 'commander';
import type { Context } from './context.js';
import type { WaitFlags } from './update/run-update.js';

export function registerServiceRebalance(service: Command, context: Context): void {
  service
    .command('rebalance')
    .description('Move the tasks of which a node has too many, one by one, each once its replacement serves')
    .argument('[service...]', 'Id or name; all services unless named')
    .option('-d, --detach', 'Return at once; do not wait for the moves')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', '\nExample:\n  bale service rebalance web')
    .action(async (names: string[], flags: WaitFlags) => {
      const { rebalanceServices } = await import('./update/run-rebalance.js');
      await rebalanceServices(context, names, flags);
    });
}
