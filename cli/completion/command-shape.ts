import type { Command } from 'commander';
import { collect } from '../flags/filter.js';

export interface FlagShape {
  /** `--replicas`. */
  readonly long: string;
  /** `-d`. */
  readonly short: string | undefined;
  readonly description: string;
  readonly takesValue: boolean;
  readonly repeatable: boolean;
  readonly hidden: boolean;
}

export interface ArgumentShape {
  readonly name: string;
  readonly variadic: boolean;
}

/** A command as it is registered, as plain data. */
export interface CommandShape {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly hidden: boolean;
  readonly flags: readonly FlagShape[];
  readonly operands: readonly ArgumentShape[];
  readonly commands: readonly CommandShape[];
}

export function shapeOf(command: Command): CommandShape {
  // commander's own view of what is shown; it also has the flag of help.
  const help = command.createHelp();
  const visible = new Set(help.visibleCommands(command));
  const own: readonly FlagShape[] = command.options.map((option) => ({
    long: option.long ?? '',
    short: option.short,
    description: option.description,
    takesValue: option.required || option.optional,
    repeatable: option.parseArg === collect,
    hidden: option.hidden,
  }));
  const known = new Set(own.map(({ long }) => long));
  const added = help
    .visibleOptions(command)
    .filter(({ long }) => long !== undefined && !known.has(long))
    .map(({ long, short, description }) => ({
      ...{ long: long ?? '', short, description },
      ...{ takesValue: false, repeatable: false, hidden: false },
    }));
  return {
    name: command.name(),
    aliases: command.aliases(),
    description: command.description(),
    hidden: false,
    flags: [...own, ...added],
    operands: command.registeredArguments.map((argument) => ({ name: argument.name(), variadic: argument.variadic })),
    commands: command.commands.map((child) => ({ ...shapeOf(child), hidden: !visible.has(child) })),
  };
}
