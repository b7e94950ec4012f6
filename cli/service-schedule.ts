import type { Command } from 'commander';
import type { Context } from './context.js';
import type { WaitFlags } from './update/run-update.js';

/** `service schedule` and `service run`. */
export function registerServiceSchedule(service: Command, context: Context): void {
  service
    .command('schedule')
    .description('Show when a scheduled job runs, and its last runs')
    .argument('<service>', 'Id or name')
    .option('--format <format>', 'table, json, or a Go template; of the runs')
    .addHelpText('after', '\nExample:\n  bale service schedule backup')
    .action(async (name: string, flags: { format?: string }) => {
      const { printSchedule } = await import('./view/schedule.js');
      await printSchedule(context, name, flags);
    });

  service
    .command('run')
    .description('Begin a run of a job now, and wait for its end')
    .argument('<service>', 'Id or name')
    .option('-d, --detach', 'Return at once; do not wait for the end of the run')
    .option('-q, --quiet', 'No progress')
    .addHelpText('after', '\nExample:\n  bale service run backup')
    .action(async (name: string, flags: WaitFlags) => {
      const { runJob } = await import('./update/run-job.js');
      await runJob(context, name, flags);
    });
}
