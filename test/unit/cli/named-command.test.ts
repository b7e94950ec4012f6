import { expect, test } from 'vitest';
import { namedCommand } from '../../../cli/named-command.js';
import { runCli } from '../../../cli/main.js';
import { registeredCommands } from '../../support/registered-commands.js';

test.each([
  [[], undefined],
  [['service', 'ls'], 'service'],
  [['-H', 'service', 'node', 'ls'], 'node'],
  [['--host=unix:///a', '-Hunix:///b', '--tlskey', 'k', 'node'], 'node'],
  [['--host'], undefined],
  [['--help'], undefined],
  [['--help', 'service'], undefined],
  [['--hostile=a', 'service'], undefined],
  [['--', 'service'], undefined],
  [['__complete', '--', 'service', ''], 'service'],
  [['__complete', '--', '-H', 'unix:///a', 'service', 'ls', '-'], 'service'],
  [['__complete', '--', 'service'], undefined],
  [['__complete', ''], undefined],
] as const)('%j is about %s', (argv, name) => {
  expect(namedCommand(argv)).toBe(name);
});

interface Said {
  readonly code: number;
  readonly printed: string;
  readonly warned: string;
}

async function said(argv: readonly string[]): Promise<Said> {
  const text = { printed: '', warned: '' };
  const code = await runCli(argv, {
    print: (more) => void (text.printed += more),
    warn: (more) => void (text.warned += more),
    terminal: undefined,
  });
  return { code, ...text };
}

const NOUNS = registeredCommands()
  .program.commands.filter((command) => command.name() !== 'daemon' && command.name() !== '__complete')
  .map((command) => [command.name(), command.commands.flatMap((verb) => [verb.name(), ...verb.aliases()])] as const);

/** Help and errors of usage: nothing of it reaches a daemon. */
const lines = (name: string, verbs: readonly string[]): readonly (readonly string[])[] => [
  [name, '--help'],
  [name, '--relpicas', 'x'],
  ...verbs.map((verb) => [name, verb, '--help']),
  ...(verbs.length === 0 ? [] : ['ps', 'drain', 'rotate', 'lss', 'help'])
    .filter((word) => !verbs.includes(word))
    .map((word) => [name, word]),
];

test.each(NOUNS)('what is said about %s does not depend on whether the others are registered', async (name, verbs) => {
  for (const argv of lines(name, verbs)) {
    const { program, printed, warned } = registeredCommands();
    await program.parseAsync([...argv], { from: 'user' }).catch(() => undefined);
    const { printed: out, warned: err } = await said(argv);
    expect([argv, out, err]).toEqual([argv, printed.join(''), warned.join('')]);
    expect(`${out}${err}`).not.toBe('');
  }
});
