interface Noun {
  readonly name: string;
  readonly verbs: readonly string[];
}

/** For somebody who writes `bale ps` or `bale service drain`: where there is such a verb. Empty when nowhere. */
export function verbsElsewhere(nouns: readonly Noun[], word: string): string {
  const found = nouns.filter(({ verbs }) => verbs.includes(word)).map(({ name }) => `bale ${name} ${word}`);
  if (found.length === 0) return '';
  return `(Did you mean ${found.length === 1 ? '' : 'one of '}${found.join(', ')}?)\n`;
}
