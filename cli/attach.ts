import type { Command } from 'commander';
import type { AttachFlags } from './container/run-attach.js';
import type { Context } from './context.js';

export function registerAttach(program: Command, context: Context): void {
  program
    .command('attach')
    .description('Join this terminal to the main process of a running task, on whichever node that is')
    .argument(
      '<task>',
      'SERVICE.SLOT, SERVICE.NODE of a global service, id of a task, or SERVICE: its first running task',
    )
    .option('--detach-keys <keys>', 'Keys that leave the task running (default: ctrl-p,ctrl-q)')
    .option('--no-stdin', 'Do not hand standard input on')
    .option('--sig-proxy', 'Hand signals on to the process (where it has no terminal)', true)
    .option('--no-sig-proxy', 'Ctrl-C ends this program, not the task')
    .addHelpText(
      'after',
      '\nThe exit code is that of the task. Ctrl-C reaches the task, and its service starts another.\n\nExamples:\n' +
        '  bale attach --no-stdin --sig-proxy=false web.3\n' +
        '  bale attach console.1',
    )
    .action(async (task: string, flags: AttachFlags) => {
      const { runAttach } = await import('./container/run-attach.js');
      await runAttach(context, task, flags);
    });
}
