import { Option, type Command } from 'commander';
import type { Context } from './context.js';

/** `bale service logs` and `bale task logs`: of a service, or of one task. */
export function registerLogs(noun: Command, context: Context): void {
  noun
    .command('logs')
    .description('Fetch the logs of a service or task')
    .argument('<service|task>', 'Id or name')
    .option('--details', 'Show extra details provided to logs')
    .option('-f, --follow', 'Follow log output')
    .option('--no-resolve', 'Do not map ids to names in output')
    .option('--no-task-ids', 'Do not include task ids in output')
    .option('--no-trunc', 'Do not truncate output')
    .option('--raw', 'Do not neatly format logs')
    .option('--since <time>', 'Show logs since a time (2026-01-02T13:23:37Z) or for a while (42m)')
    .addOption(new Option('-n, --tail <lines>', 'Lines to show from the end of the log of each task').default('all'))
    .option('-t, --timestamps', 'Show timestamps')
    .addHelpText('after', `\nExample:\n  bale ${noun.name()} logs -f --tail 10 web`)
    .action(async (target: string, flags: LogFlags) => {
      const { runLogs } = await import('./logs/run-logs.js');
      await runLogs(context, target, flags);
    });
}

export interface LogFlags {
  readonly details?: boolean;
  readonly follow?: boolean;
  readonly resolve: boolean;
  readonly taskIds: boolean;
  readonly trunc: boolean;
  readonly raw?: boolean;
  readonly since?: string;
  readonly tail: string;
  readonly timestamps?: boolean;
}
