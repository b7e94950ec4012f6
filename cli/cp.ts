import type { Command } from 'commander';
import type { CopyFlags } from './container/run-copy.js';
import type { Context } from './context.js';

export function registerCopy(program: Command, context: Context): void {
  program
    .command('cp')
    .description('Copy files between a running task, on whichever node that is, and this machine')
    .argument('<from>', 'TASK:PATH, a path here, or - for an archive of tar on standard input')
    .argument('<to>', 'TASK:PATH, a path here, or - for an archive of tar on standard output')
    .option('-a, --archive', "Files get the user and group of the container's own user")
    .option('-L, --follow-link', 'Copy what a link leads to')
    .option('-q, --quiet', 'No report')
    .addHelpText(
      'after',
      '\nTASK is SERVICE.SLOT, SERVICE.NODE of a global service, id of a task, or SERVICE: its first running task.\n' +
        '\nExamples:\n  bale cp web.3:/var/log/app.log .\n  bale cp ./site/. web.1:/www\n' +
        '  bale cp db.1:/backup - | gzip > backup.tar.gz',
    )
    .action(async (from: string, to: string, flags: CopyFlags) => {
      const { runCopy } = await import('./container/run-copy.js');
      await runCopy(context, from, to, flags);
    });
}
