import type { Docker } from '../docker-client.js';
import { type Row, wordsOf } from './step.js';

/** The nouns whose every verb and flag has a row. */
export const NOUNS = ['swarm', 'node', 'service', 'secret', 'config', 'stack'] as const;

/** One verb of docker's CLI with its flags, each with all its spellings, as `--help` tells them. */
export interface Verb {
  readonly command: string;
  readonly flags: readonly (readonly string[])[];
}

export async function verbsOf(docker: Docker): Promise<readonly Verb[]> {
  const help = async (...words: readonly string[]): Promise<string> => (await docker.run([...words, '--help'])).stdout;
  const verbs: Verb[] = [];
  for (const noun of NOUNS) {
    const listed = /^Commands:\n((?: {2}.*\n)+)/m.exec(await help(noun))?.[1] ?? '';
    for (const [, verb = ''] of listed.matchAll(/^ {2}([a-z-]+)/gm)) {
      const flags = [...(await help(noun, verb)).matchAll(/^ {2,6}(?:(-[a-zA-Z]), )?(--[a-z-]+)/gm)];
      const spellings = flags.map(([, short, long = '']) => (short === undefined ? [long] : [short, long]));
      verbs.push({ command: `${noun} ${verb}`, flags: spellings.filter(([flag]) => flag !== '--help') });
    }
  }
  return verbs;
}

/** Verbs and flags that no row gives. */
export function withoutRow(verbs: readonly Verb[], rows: readonly Row[]): readonly string[] {
  const lines = rows.map(({ run }) => wordsOf(run));
  return verbs.flatMap(({ command, flags }) => {
    const given = lines.filter((words) => words.slice(0, 2).join(' ') === command);
    if (given.length === 0) return [command];
    const words = new Set(given.flat().map((word) => word.replace(/=.*/, '')));
    return flags
      .filter((spellings) => !spellings.some((flag) => words.has(flag)))
      .map((spellings) => `${command} ${spellings.join(', ')}`);
  });
}
