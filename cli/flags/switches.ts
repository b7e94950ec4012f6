/** Switches whose opposite says something: `--init=false` is not the same as leaving `--init` out. */
const WITH_OPPOSITE: ReadonlySet<string> = new Set(['init', 'tty', 'read-only', 'sig-proxy']);

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
  'interactive',
  'privileged',
  'no-stream',
  'no-trunc',
  'no-stdin',
  'archive',
  'follow-link',
]);

/**
 * docker takes `--detach=false` and `--init=true`; commander knows switches only. Rewrites them, but
 * not in what follows the image of `service create` or the task of `exec`: that is the container's.
 */
export function spellSwitches(argv: readonly string[]): string[] {
  const command = firstOperand(argv, 0, () => false);
  const isExec = argv[command] === 'exec';
  const end = isExec
    ? firstOperand(argv, command + 1, isSwitchOfExec)
    : argv.includes('create')
      ? firstOperand(argv, argv.indexOf('create') + 1, isSwitchOfCreate)
      : argv.length;
  const opposites = isExec ? NONE : WITH_OPPOSITE;
  return argv.flatMap((word, index) => (index < end ? spellSwitch(word, opposites) : [word]));
}

const NONE: ReadonlySet<string> = new Set();

/** Index of the first word from `start` on that is neither a flag nor the value of one. */
function firstOperand(argv: readonly string[], start: number, isSwitch: (word: string) => boolean): number {
  let index = start;
  for (let word = argv[index]; word?.startsWith('-') === true && word !== '--'; word = argv[index]) {
    index += isSwitch(word) || (word.startsWith('--') && word.includes('=')) ? 1 : 2;
  }
  return index;
}

const isSwitchOfCreate = (word: string): boolean => CREATE_SWITCHES.has(word);

/** `-it`, `--tty`; also `-eA=b`, which holds its value itself. */
const isSwitchOfExec = (word: string): boolean =>
  /^-([dith]+|[ditp]*[euw].+)$|^--(detach|interactive|tty|privileged|help)$/.test(word);

function spellSwitch(word: string, opposites: ReadonlySet<string>): readonly string[] {
  const { name = '', value = '' } = /^--(?<name>[a-z-]+)=(?<value>true|false)$/.exec(word)?.groups ?? {};
  if (!WITH_OPPOSITE.has(name) && !OTHERS.has(name)) return [word];
  if (value === 'true') return [`--${name}`];
  return opposites.has(name) ? [`--no-${name}`] : [];
}

/** Short and long switches of `service create`; each other flag takes the word after it, unless it holds a `=`. */
const CREATE_SWITCHES: ReadonlySet<string> = new Set([
  ...['-d', '--detach', '-q', '--quiet', '-t', '--tty', '--init', '--read-only', '--no-healthcheck'],
  ...['--with-registry-auth', '--no-resolve-image'],
  ...['-dq', '-dt', '-qd', '-td', '-h', '--help'],
]);
