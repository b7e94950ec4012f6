/** Switches whose opposite says something: `--init=false` is not the same as leaving `--init` out. */
const WITH_OPPOSITE: ReadonlySet<string> = new Set(['init', 'tty', 'read-only']);

/** Switches whose `false` is as good as leaving them out. */
const OTHERS: ReadonlySet<string> = new Set([
  'detach',
  'quiet',
  'force',
  'rollback',
  'no-healthcheck',
  'no-resolve-image',
  'no-registry-auth',
  'with-registry-auth',
  'rotate',
  'pretty',
]);

/**
 * docker takes `--detach=false` and `--init=true`; commander knows switches only. Rewrites them, but
 * not in what follows the image of `service create`: that is the container's.
 */
export function spellSwitches(argv: readonly string[]): string[] {
  const end = argv.includes('create') ? firstOperandOfCreate(argv) : argv.length;
  return argv.flatMap((word, index) => (index < end ? spellSwitch(word) : [word]));
}

function spellSwitch(word: string): readonly string[] {
  const { name = '', value = '' } = /^--(?<name>[a-z-]+)=(?<value>true|false)$/.exec(word)?.groups ?? {};
  if (!WITH_OPPOSITE.has(name) && !OTHERS.has(name)) return [word];
  if (value === 'true') return [`--${name}`];
  return WITH_OPPOSITE.has(name) ? [`--no-${name}`] : [];
}

/** Short and long switches of `service create`; each other flag takes the word after it, unless it holds a `=`. */
const CREATE_SWITCHES: ReadonlySet<string> = new Set([
  ...['-d', '--detach', '-q', '--quiet', '-t', '--tty', '--init', '--read-only', '--no-healthcheck'],
  ...['--with-registry-auth', '--no-resolve-image'],
  ...['-dq', '-dt', '-qd', '-td', '-h', '--help'],
]);

function firstOperandOfCreate(argv: readonly string[]): number {
  let index = argv.indexOf('create') + 1;
  for (let word = argv[index]; word?.startsWith('-') === true && word !== '--'; word = argv[index]) {
    index += CREATE_SWITCHES.has(word) || (word.startsWith('--') && word.includes('=')) ? 1 : 2;
  }
  return index;
}
