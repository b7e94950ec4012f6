import { Help, type Command } from 'commander';
import type { Context } from '../context.js';
import { verbsElsewhere } from './verbs-elsewhere.js';

/** The headings of `bale --help`, in their order; what is in none stands under `Commands:`. */
const GROUPS: readonly (readonly [heading: string, commands: readonly string[]])[] = [
  ['Cluster:', ['swarm', 'node', 'events']],
  ['Services:', ['service', 'task', 'secret', 'config']],
  ['Containers of services:', ['exec', 'attach', 'cp', 'top', 'stats']],
  ['This machine:', ['daemon', 'info', 'version', 'client-cert']],
  ['This program:', ['completion', 'help']],
];

/** How help and errors of usage look; inherited by the commands that are added later. `everyNoun`: all commands, not only those of this program. */
export function layOutHelp(
  program: Command,
  { print, warn, terminal }: Pick<Context, 'print' | 'warn' | 'terminal'>,
  everyNoun: () => readonly Command[],
): void {
  program
    .configureHelp({
      subcommandTerm: (command) => command.name(),
      visibleCommands: inOrderOfGroups,
      groupItems: asVisible,
    })
    .helpOption('-h, --help', 'Show this text')
    .configureOutput({
      writeOut: print,
      writeErr: warn,
      getOutHelpWidth: () => terminal?.columns ?? 80,
      outputError: (text, write) => write(withOtherNouns(text, everyNoun)),
    })
    .addHelpText(
      'after',
      [
        '',
        'Environment:',
        '  BALE_HOST          Socket of the daemon, as --host',
        '',
        'Exit codes:',
        '  0 done, 1 failed, 125 a flag that is not known or lacks its value',
        '',
        'Examples:',
        '  bale swarm init --advertise-addr 192.168.1.10',
        '  bale service create --name web --replicas 3 -p 8080:80 nginx',
        '',
        "Run 'bale COMMAND --help' for more information on a command.",
      ].join('\n'),
    );
}

const groupOf = (command: Command): number => GROUPS.findIndex(([, names]) => names.includes(command.name()));

/** What is in no group comes first, as it was registered. */
const inOrderOfGroups = (parent: Command): Command[] =>
  new Help().visibleCommands(parent).toSorted((a, b) => groupOf(a) - groupOf(b));

/** Headings stand in the order of what is shown below them; by itself commander takes the order of registration. */
const asVisible: Help['groupItems'] = (_all, visible, getGroup) => new Help().groupItems(visible, visible, getGroup);

/** To be called once all commands are there. */
export function groupCommands(program: Command): void {
  for (const command of program.commands) {
    const group = GROUPS[groupOf(command)];
    if (group !== undefined) command.helpGroup(group[0]);
    if (command.commands.length > 0) {
      command.addHelpText('after', `\nRun 'bale ${command.name()} COMMAND --help' for more information on a command.`);
    }
  }
}

/**
 * commander looks for names that are spelled alike, and so misses a right verb at the wrong noun, which
 * is the better guess.
 */
function withOtherNouns(text: string, everyNoun: () => readonly Command[]): string {
  const [first = ''] = text.split('\n');
  const word = /^error: unknown command '(.+)'$/.exec(first)?.[1];
  if (word === undefined) return text;
  const nouns = everyNoun().map((noun) => ({
    name: noun.name(),
    verbs: noun.commands.flatMap((verb) => [verb.name(), ...verb.aliases()]),
  }));
  const elsewhere = verbsElsewhere(nouns, word);
  return elsewhere === '' ? text : `${first}\n${elsewhere}`;
}
