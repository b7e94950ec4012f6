import { CommanderError } from 'commander';

/** As docker has it: 125 for a flag that is not there or lacks its value. */
const FLAG_ERRORS: ReadonlySet<string> = new Set([
  'commander.unknownOption',
  'commander.optionMissingArgument',
  'commander.conflictingOption',
]);

/** The exit code after an error of which everything was printed; undefined for any other error. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!(error instanceof CommanderError)) return undefined;
  return FLAG_ERRORS.has(error.code) ? 125 : error.exitCode;
}
