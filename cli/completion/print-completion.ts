import type { Command } from 'commander';
import type { Context } from '../context.js';
import { answerText, type Directive } from './answer.js';
import { shapeOf } from './command-shape.js';
import { complete, type Candidate } from './complete.js';
import { namesOf } from './names.js';

/** Answers one press of the tab key. Never fails, and says nothing but candidates. */
export async function printCompletion(program: Command, context: Context, words: readonly string[]): Promise<void> {
  const { wanted, daemon } = complete(shapeOf(program), words);
  const answer = (candidates: readonly Candidate[], directive: Directive): void =>
    context.print(answerText(candidates, directive));
  switch (wanted.kind) {
    case 'words':
      answer(wanted.candidates, wanted.open ? 'open' : 'done');
      return;
    case 'names': {
      for (const [name, value] of Object.entries(daemon)) program.setOptionValue(name, value);
      const names = await namesOf(context.connect, wanted.of);
      const candidates = names
        .filter((name) => !wanted.except.includes(name))
        .map((name) => ({ word: `${wanted.before}${name}${wanted.after}`, description: '' }))
        .filter(({ word }) => word.startsWith(words.at(-1) ?? ''));
      answer(candidates, wanted.after === '' ? 'done' : 'open');
      return;
    }
    case 'files':
      answer([], 'files');
      return;
    case 'nothing':
      answer([], 'done');
  }
}
