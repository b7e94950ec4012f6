import type { Command } from 'commander';
import type { Context } from './context.js';
import type { DrainFlags } from './update/run-drain.js';

export function registerNodeDrain(node: Command, context: Context): void {
  node
    .command('drain')
    .description('Move the tasks of a node elsewhere, each once its replacement serves, and take no new ones')
    .argument('<node>', 'Id or hostname')
    .option(
      '--deadline <duration>',
      "How long requests under way on a task are waited for, instead of the service's own",
    )
    .option('--max-parallel <number>', 'Tasks moved at the same time')
    .option('-d, --detach', 'Return at once; do not wait until the node is empty')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', '\nExamples:\n  bale node drain h2\n  bale node drain --deadline 1m --max-parallel 2 h2')
    .action(async (name: string, flags: DrainFlags) => {
      const { drainNode } = await import('./update/run-drain.js');
      await drainNode(context, name, flags);
    });
}
