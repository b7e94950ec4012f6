import type { Command } from 'commander';
import type { Context } from './context.js';
import { usageError } from './flags/usage-error.js';

/** What the scripts call; not a command for people. */
export const COMPLETE = '__complete';

/** `bale completion`. */
export function registerCompletion(program: Command, context: Context): void {
  program
    .command('completion')
    .description('Print a script that makes a shell complete commands, flags and names of bale')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      '\nThe script fits the commands that this program has, now and after an upgrade. Names of services, nodes,\nsecrets and configs come from the daemon; without one there are none.\n\nExamples:\n  bale completion bash > /etc/bash_completion.d/bale\n  bale completion fish > ~/.config/fish/completions/bale.fish',
    )
    .action(async (name: string) => {
      const { SHELLS, completionScript } = await import('./completion/scripts.js');
      const shell = SHELLS.find((known) => known === name);
      if (shell === undefined) throw usageError('completion', name, `the shells are ${SHELLS.join(', ')}`);
      context.print(completionScript(shell));
    });
}

/** The hidden command that the scripts ask. */
export function registerComplete(program: Command, context: Context): void {
  program
    .command(COMPLETE, { hidden: true })
    .argument('[word...]')
    .helpOption(false)
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { printCompletion } = await import('./completion/print-completion.js');
      await printCompletion(program, context, words);
    });
}
