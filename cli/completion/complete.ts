import type { CommandShape, FlagShape } from './command-shape.js';
import { sourceOfFlag, sourceOfOperand, type Named, type ValueSource } from './value-source.js';

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** What may stand at the cursor. */
export type Wanted =
  /** `open`: something still follows the word, so that no space is put behind it. */
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[]; readonly open: boolean }
  /** Names that only the daemon knows, each put between `before` and `after`; without those of `except`. */
  | {
      readonly kind: 'names';
      readonly of: Named;
      readonly before: string;
      readonly after: '' | '=';
      readonly except: readonly string[];
    }
  | { readonly kind: 'files' }
  | { readonly kind: 'nothing' };

export interface Completion {
  readonly wanted: Wanted;
  /** Flags of the program itself that say which daemon is meant, without their dashes. */
  readonly daemon: Readonly<Record<string, string>>;
}

/** `words`: what follows the program's name, the last being the one under the cursor, which may be empty. */
export function complete(root: CommandShape, words: readonly string[]): Completion {
  const current = words.at(-1) ?? '';
  const line = readLine(root, words.slice(0, -1));
  return { wanted: wantedAt(root, line, current), daemon: line.daemon };
}

/** The words before the cursor, understood. */
interface Line {
  readonly command: CommandShape;
  /** The command without the program's name: `service ls`. */
  readonly path: string;
  readonly operands: readonly string[];
  /** Long names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** The flag whose value comes next. */
  readonly pending: FlagShape | undefined;
  /** No flag of ours may follow: after `--`, and in the command of a container. */
  readonly flagsEnded: boolean;
  readonly daemon: Readonly<Record<string, string>>;
  /** A word is no command of ours. */
  readonly lost: boolean;
}

function readLine(root: CommandShape, words: readonly string[]): Line {
  let line: Line = {
    ...{ command: root, path: '', operands: [], given: new Set<string>(), daemon: {} },
    ...{ pending: undefined, flagsEnded: false, lost: false },
  };
  for (const word of words) line = readWord(line, word);
  return line;
}

function readWord(line: Line, word: string): Line {
  const { command, pending } = line;
  if (pending !== undefined) return { ...line, pending: undefined, daemon: daemonOf(line, pending, word) };
  if (!line.flagsEnded && word === '--') return { ...line, flagsEnded: true };
  if (!line.flagsEnded && word.startsWith('-') && word !== '-') return readFlag(line, word);
  if (command.commands.length === 0) {
    return { ...line, operands: [...line.operands, word], flagsEnded: line.flagsEnded || takesForeignWords(command) };
  }
  const child = command.commands.find(({ name, aliases }) => name === word || aliases.includes(word));
  if (child === undefined) return { ...line, lost: true };
  return { ...line, command: child, path: `${line.path} ${child.name}`.trim(), given: new Set() };
}

/** What follows the first operand belongs to another program: `service create IMAGE COMMAND`. */
const takesForeignWords = ({ operands }: CommandShape): boolean =>
  operands.some(({ name, variadic }) => variadic && (name === 'command' || name === 'ps options'));

function readFlag(line: Line, word: string): Line {
  const [name, value] = splitAt(word, '=');
  if (name.startsWith('--')) {
    const flag = line.command.flags.find(({ long }) => long === name);
    if (flag === undefined) return line;
    const given = new Set([...line.given, flag.long]);
    if (!flag.takesValue) return { ...line, given };
    if (value === undefined) return { ...line, given, pending: flag };
    return { ...line, given, daemon: daemonOf(line, flag, value) };
  }
  return readShortFlags(line, word.slice(1));
}

/** The program's own flags all say which daemon is meant; those of its commands do not. */
const daemonOf = ({ path, daemon }: Line, { long }: FlagShape, value: string): Line['daemon'] =>
  path === '' ? { ...daemon, [long.replace('--', '')]: value } : daemon;

/** `dq`, and `n5` whose value stands behind it. */
function readShortFlags(line: Line, letters: string): Line {
  const flag = line.command.flags.find(({ short }) => short === `-${letters.charAt(0)}`);
  if (letters === '' || flag === undefined) return line;
  const given = new Set([...line.given, flag.long]);
  const rest = letters.slice(1);
  if (!flag.takesValue) return readShortFlags({ ...line, given }, rest);
  if (rest === '') return { ...line, given, pending: flag };
  return { ...line, given, daemon: daemonOf(line, flag, rest) };
}

function wantedAt(root: CommandShape, line: Line, current: string): Wanted {
  const { command, path } = line;
  if (line.lost) return { kind: 'nothing' };
  if (line.pending !== undefined) return fromSource(sourceOfFlag(path, line.pending), '', current, []);
  if (!line.flagsEnded && current.startsWith('--') && current.includes('=')) {
    const [name, value = ''] = splitAt(current, '=');
    const flag = command.flags.find(({ long, takesValue }) => long === name && takesValue);
    return flag === undefined ? { kind: 'nothing' } : fromSource(sourceOfFlag(path, flag), `${name}=`, value, []);
  }
  if (!line.flagsEnded && current.startsWith('-')) return flagsOf(line, current);
  if (path === 'help') return wantedAt(root, readLine(root, line.operands), current);
  if (command.commands.length > 0) {
    const visible = command.commands.filter(({ hidden }) => !hidden);
    return wordsWanted(
      visible.map(({ name, description }) => ({ word: name, description })),
      current,
      false,
    );
  }
  const last = command.operands.at(-1);
  const operand = command.operands[line.operands.length] ?? (last?.variadic === true ? last : undefined);
  return fromSource(operand === undefined ? undefined : sourceOfOperand(operand.name), '', current, line.operands);
}

function flagsOf({ command, given }: Line, current: string): Wanted {
  const flags = command.flags.filter(({ long, hidden, repeatable }) => !hidden && (repeatable || !given.has(long)));
  return wordsWanted(
    flags.map(({ long, description }) => ({ word: long, description })),
    current,
    false,
  );
}

function fromSource(
  source: ValueSource | undefined,
  before: string,
  current: string,
  except: readonly string[],
): Wanted {
  switch (source?.kind) {
    case undefined:
      return { kind: 'nothing' };
    case 'files':
      return { kind: 'files' };
    case 'names':
      return { kind: 'names', of: source.of, before, after: source.suffix, except };
    case 'words':
    case 'beginnings': {
      const candidates = source.words.map((word) => ({ word: `${before}${word}`, description: '' }));
      return wordsWanted(candidates, `${before}${current}`, source.kind === 'beginnings');
    }
  }
}

const wordsWanted = (candidates: readonly Candidate[], current: string, open: boolean): Wanted => ({
  kind: 'words',
  candidates: candidates.filter(({ word }) => word.startsWith(current)),
  open,
});

function splitAt(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
