import type { Command } from 'commander';
import type { Context } from '../../cli/context.js';
import { BaleCommand } from '../../cli/help/bale-command.js';
import { registerCommands } from '../../cli/main.js';

const REFUSED: Pick<Context, 'connect' | 'env' | 'signal' | 'streams'> = {
  connect: () => Promise.reject(new Error('no command is run')),
  env: {},
  streams: () => ({ input: process.stdin, output: process.stdout, error: process.stderr }),
  signal: new AbortController().signal,
};

/** All commands of the CLI, to look at; what help prints is in `printed`, errors of usage in `warned`. */
export function registeredCommands(): {
  readonly program: Command;
  readonly printed: string[];
  readonly warned: string[];
} {
  const program = new BaleCommand('bale');
  const printed: string[] = [];
  const warned: string[] = [];
  const output = {
    print: (text: string) => void printed.push(text),
    warn: (text: string) => void warned.push(text),
    terminal: undefined,
  };
  registerCommands(program, { ...REFUSED, ...output, copy: () => undefined }, output);
  return { program, printed, warned };
}

/** `service ls` and the command behind it, for each command that people may run. */
export function leaves(command: Command, path = ''): readonly (readonly [path: string, command: Command])[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((child) => {
      const childPath = `${path} ${child.name()}`.trim();
      if (child.name() === 'help' && path !== '') return [];
      return child.commands.length > 0 ? leaves(child, childPath) : [[childPath, child] as const];
    });
}
