import type { Command } from 'commander';
import type { Context } from './context.js';
import { collect } from './flags/filter.js';

/** `bale events`: docker's, and with `--audit` who changed what. */
export function registerEvents(program: Command, context: Context): void {
  program
    .command('events')
    .description('Show what happens in the cluster and on this Engine, as it happens')
    .option('-f, --filter <name=value>', 'Only events like this: type=task, service=web, event=update…', collect, [])
    .option('--since <time>', 'Begin with what happened since a time (2026-01-02T13:23:37Z) or for a while (42m)')
    .option('--until <time>', 'End at a time; with one in the past, show what happened before and return')
    .option('--format <format>', 'json, or a Go template')
    .option('--audit', 'Show who changed what instead; filters: object=, who=')
    .option('-n, --last <number>', 'With --audit: only the newest so many')
    .addHelpText(
      'after',
      '\nExamples:\n  bale events --filter type=task --filter service=web\n  bale events --audit --since 24h --filter object=web',
    )
    .action(async (flags: EventFlags) => {
      const { runEvents } = await import('./events/run-events.js');
      await runEvents(context, flags);
    });
}

export interface EventFlags {
  readonly filter: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly format?: string;
  readonly audit?: boolean;
  readonly last?: string;
}
