import type { Command } from 'commander';
import type { ExecFlags } from './container/run-exec.js';
import type { Context } from './context.js';
import { collect } from './flags/filter.js';

export function registerExec(program: Command, context: Context): void {
  program
    .command('exec')
    .description('Run a command in a running task, on whichever node that is')
    .argument(
      '<task>',
      'SERVICE.SLOT, SERVICE.NODE of a global service, id of a task, or SERVICE: its first running task',
    )
    .argument('<command...>', 'The command and its arguments')
    .option('-d, --detach', 'Run the command in the background')
    .option('--detach-keys <keys>', 'Keys that leave the command running, e.g. ctrl-p,ctrl-q')
    .option('-e, --env <variable>', 'Set an environment variable', collect)
    .option('--env-file <file>', 'Read environment variables from a file', collect)
    .option('-i, --interactive', 'Hand standard input on, to its end')
    .option('--privileged', 'Give the command extended privileges')
    .option('-t, --tty', 'Give the command a terminal')
    .option('-u, --user <user>', 'Name or id of the user: <name|uid>[:<group|gid>]')
    .option('-w, --workdir <directory>', 'Working directory in the container')
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nThe exit code is that of the command.\n\nExamples:\n' +
        '  bale exec -it web.3 sh\n' +
        '  bale exec web cat /etc/hostname\n' +
        '  bale exec -u postgres -w /tmp db.1 psql -c "select 1"\n' +
        '  tar -c site | bale exec -i web.1 tar -x -C /www',
    )
    .action(async (task: string, command: string[], flags: ExecFlags) => {
      const { runExec } = await import('./container/run-exec.js');
      await runExec(context, task, command, flags);
    });
}
