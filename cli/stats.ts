import type { Command } from 'commander';
import type { StatsFlags } from './container/run-stats.js';
import type { Context } from './context.js';

export function registerStats(program: Command, context: Context): void {
  program
    .command('stats')
    .description('Show what running tasks use: processor, memory, network and disk, with their nodes')
    .argument('[service|task...]', 'SERVICE, SERVICE.SLOT or id of a task; all services when none is given')
    .option('--format <format>', 'table, json, or a Go template')
    .option('--no-stream', 'Show one table and end')
    .option('--no-trunc', 'Show names whole')
    .addHelpText(
      'after',
      '\nFields of a template: .Task .Node .Service .Name .ID .CPUPerc .MemUsage .MemPerc .NetIO .BlockIO .PIDs\n' +
        '\nExamples:\n  bale stats\n  bale stats --no-stream web db\n' +
        "  bale stats --no-stream --format '{{.Task}} {{.CPUPerc}} {{.MemUsage}}' web",
    )
    .action(async (operands: string[], flags: StatsFlags) => {
      const { runStats } = await import('./container/run-stats.js');
      await runStats(context, operands, flags);
    });
}
