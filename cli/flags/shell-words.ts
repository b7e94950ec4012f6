import { usageError } from './usage-error.js';

/** Splits a command line into words as a shell does: blanks, single and double quotes, backslashes. */
export function splitWords(text: string, flag: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (quote !== '' && letter === quote) quote = '';
    else if (letter === '\\' && quote !== "'") {
      at += 1;
      word = (word ?? '') + text.charAt(at);
    } else if (quote === '' && (letter === '"' || letter === "'")) {
      quote = letter;
      word ??= '';
    } else if (quote === '' && /\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + letter;
  }
  if (quote !== '') throw usageError(flag, text, `the quote ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}
