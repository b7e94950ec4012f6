import { expect, test } from 'vitest';
import { runCli } from '../../../../cli/main.js';
import { spellSwitches } from '../../../../cli/flags/switches.js';
import { splitWords } from '../../../../cli/flags/shell-words.js';
import { leaves, registeredCommands } from '../../../support/registered-commands.js';

async function ran(...words: string[]): Promise<{ code: number; printed: string; warned: string }> {
  let printed = '';
  let warned = '';
  const code = await runCli(words, {
    print: (text) => void (printed += text),
    warn: (text) => void (warned += text),
    terminal: undefined,
  });
  return { code, printed, warned };
}

const COMMANDS = leaves(registeredCommands().program).filter(([path]) => path !== '');

test.each(COMMANDS)('%s says what it is for, how it is written, and gives an example', async (path, command) => {
  expect(command.description()).toMatch(/^[A-Z].{8,}/);
  const { code, printed } = await ran('help', ...path.split(' '));
  expect(code).toBe(0);
  expect(printed).toMatch(new RegExp(`^Usage: bale ${path}\\b`));
  expect(examplesOf(printed).length).toBeGreaterThan(0);
  for (const { description, hidden, flags } of command.options) {
    if (!hidden) expect([flags, description]).not.toEqual([flags, '']);
  }
});

test.each(COMMANDS)('the examples of %s can be run', async (path) => {
  const { printed } = await ran('help', ...path.split(' '));
  for (const example of examplesOf(printed)) {
    const [name, ...words] = splitWords(example.replace(/ [<>|] .*/, ''), 'example');
    expect(name).toBe('bale');
    const { program, warned } = registeredCommands();
    let found = '';
    for (const [leaf, command] of leaves(program)) command.action(() => void (found = leaf));
    await program.parseAsync(spellSwitches(words), { from: 'user' }).catch((error: unknown) => {
      throw new Error(`${example}: ${warned.join('')}`, { cause: error });
    });
    expect([example, found]).toEqual([example, path]);
  }
});

/** The lines below `Example:` or `Examples:`. */
function examplesOf(help: string): readonly string[] {
  const [, after = ''] = help.split(/^Examples?:\n/m);
  return after
    .split('\n')
    .filter((line) => line.startsWith('  bale '))
    .map((line) => line.trim());
}

test('--help of a command and help with its name say the same', async () => {
  expect(await ran('service', 'create', '--help')).toEqual(await ran('help', 'service', 'create'));
});

test.each([[[]], [['service']], [['swarm']]])('bale %s prints what there is', async (words: string[]) => {
  const { code, printed, warned } = await ran(...words);
  expect([code, warned]).toEqual([0, '']);
  expect(printed).toBe((await ran(...words, '--help')).printed);
});

test('the commands stand under headings', async () => {
  const { printed } = await ran('--help');
  const headings = printed.split('\n').filter((line) => /^[A-Z].*:$/.test(line));
  expect(headings).toEqual(expect.arrayContaining(['Cluster:', 'Services:', 'This machine:', 'This program:']));
  expect(headings.indexOf('Cluster:')).toBeLessThan(headings.indexOf('This machine:'));
});

test.each([
  ['servce ls', 1, '(Did you mean service?)'],
  ['service lss', 1, '(Did you mean ls?)'],
  ['ps', 1, '(Did you mean one of bale node ps, bale service ps?)'],
  ['service promote web', 1, '(Did you mean bale node promote?)'],
  ['service create --replica 3 nginx', 125, '(Did you mean --replicas?)'],
  ['service ls --nonsense', 125, "unknown option '--nonsense'"],
  ['service create --name', 125, "option '--name <name>' argument missing"],
  ['service inspect', 1, "missing required argument 'service'"],
  ['swarm leave now', 1, 'too many arguments'],
  ['help service lss', 1, 'unknown help topic: service lss'],
])('%s ends with %i and says %s', async (line, code, reason) => {
  const answer = await ran(...line.split(' '));
  expect([answer.code, answer.printed]).toEqual([code, '']);
  expect(answer.warned).toContain(reason);
  expect(answer.warned).toContain('--help');
});
