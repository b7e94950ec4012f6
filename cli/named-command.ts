import { COMPLETE } from './completion.js';

/** Flags of `bale` itself that the word after them belongs to. */
const WITH_VALUE: ReadonlySet<string> = new Set(['-H', '--host', '--tlscacert', '--tlscert', '--tlskey']);

/** The same with their value in one word. */
const HOLDS_VALUE = /^(-H.|--(host|tlscacert|tlscert|tlskey)=)/;

/**
 * The command that a command line begins with, also while it is being completed. Undefined where there
 * is none yet, or what stands before it is not understood.
 */
export function namedCommand(argv: readonly string[]): string | undefined {
  const [first, ...more] = argv;
  if (first === COMPLETE) {
    const words = more[0] === '--' ? more.slice(1) : more;
    // The last word is still being written.
    return namedCommand(words.slice(0, -1));
  }
  if (first === undefined) return undefined;
  if (WITH_VALUE.has(first)) return namedCommand(more.slice(1));
  if (HOLDS_VALUE.test(first)) return namedCommand(more);
  return first.startsWith('-') ? undefined : first;
}
