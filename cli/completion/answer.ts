import type { Candidate } from './complete.js';

/** What the shell is to do beside offering the words. */
export type Directive = 'done' | 'open' | 'files';

/**
 * The answer that the scripts of the shells read: a line for each word, its description behind a tab,
 * and at the end the directive behind a colon. Words need no quotes: names of objects and flags have
 * nothing in them that is special to a shell.
 */
export const answerText = (candidates: readonly Candidate[], directive: Directive): string =>
  [
    ...candidates.map(({ word, description }) => (description === '' ? word : `${word}\t${oneLine(description)}`)),
    `:${directive}`,
    '',
  ].join('\n');

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
