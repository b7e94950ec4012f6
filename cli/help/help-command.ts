import type { Command } from 'commander';

/** `bale help service create`: the same as `bale service create --help`. */
export function registerHelp(program: Command): void {
  program
    .command('help')
    .description('Show the help of a command')
    .argument('[topic...]', 'The command, for example service create')
    .addHelpText('after', '\nExample:\n  bale help service create')
    .action((words: string[]) => {
      let found = program;
      for (const word of words) {
        const child = found.commands.find((command) => command.name() === word || command.aliases().includes(word));
        if (child === undefined) program.error(`unknown help topic: ${words.join(' ')}`, { exitCode: 1 });
        found = child;
      }
      found.outputHelp();
    });
}
