import type { Command } from 'commander';
import type { Context } from './context.js';
import type { DrainFlags } from './update/run-drain.js';

export function registerNodeDrain(node: Command, context: Context): void {
  node
    .command('drain')
    .description('Move the tasks of a node elsewhere, each once its replacement serves, and take no new ones')
    .argument('<node...>', 'Id or hostname')
    .option('--deadline <duration>', 'Stop what is left on the node after this time, whatever is under way on it')
    .option(
      '--max-parallel <number>',
      'Tasks that leave the node at the same time, of all services (default: one of each service)',
    )
    .option('-d, --detach', 'Return at once; do not wait until the node is empty')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', '\nExamples:\n  bale node drain h2 h3\n  bale node drain --deadline 10m --max-parallel 2 h2')
    .action(async (names: string[], flags: DrainFlags) => {
      const { drainNodes } = await import('./update/run-drain.js');
      await drainNodes(context, names, flags);
    });
}
