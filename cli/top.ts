import type { Command } from 'commander';
import type { Context } from './context.js';

export function registerTop(program: Command, context: Context): void {
  program
    .command('top')
    .description('Show the processes of the running tasks of a service, or of one task, with their nodes')
    .argument('<service|task>', 'SERVICE, SERVICE.SLOT, SERVICE.NODE of a global service, or id of a task')
    .argument('[ps options...]', 'Options of ps(1) on the node, e.g. -o pid,comm')
    .passThroughOptions()
    .addHelpText('after', '\nExamples:\n  bale top web\n  bale top web.3 -o pid,rss,comm')
    .action(async (operand: string, psOptions: string[]) => {
      const { runTop } = await import('./container/run-top.js');
      await runTop(context, operand, psOptions);
    });
}
