/**
 * A line of the shell that runs `command` in a terminal at which nobody types, and ends with its exit code.
 * `script` types ^D where its own input ends; a program that has not made the terminal raw by then takes that for the
 * end of its input, and an Engine that is told of that end closes the outputs of a terminal too.
 */
export const inTerminal = (command: string): string =>
  `k=$(mktemp -u); mkfifo "$k"; script -qec "${command}" /dev/null <>"$k"; c=$?; rm "$k"; (exit $c)`;
