import { describe, expect, it } from 'vitest';
import { genericResourceText, parseGenericResources } from '../../../../proto/engine/generic-resource.js';

const texts = (...terms: string[]): readonly string[] => parseGenericResources(terms).map(genericResourceText);

describe('generic resources', () => {
  it.each([
    [['gpu=4'], ['gpu=4']],
    [
      ['gpu=u1', 'gpu=u2,ssd=2'],
      ['gpu=u1', 'gpu=u2', 'ssd=2'],
    ],
    [[' gpu = u1 ', 'gpu=u1'], ['gpu=u1']],
    [[], []],
  ])('%j are read', (terms, read) => {
    expect(texts(...terms)).toEqual(read);
  });

  it('a number alone is a count, all else are names', () => {
    expect(parseGenericResources(['a=2', 'b=x'])).toEqual([
      { DiscreteResourceSpec: { Kind: 'a', Value: 2 } },
      { NamedResourceSpec: { Kind: 'b', Value: 'x' } },
    ]);
  });

  it.each([['gpu'], ['gpu='], ['=4'], ['gpu=1=2'], ['g pu=1'], [''], ['gpu=-1'], ['gpu=99999999999999999999']])(
    '%j is refused',
    (term) => {
      expect(() => parseGenericResources([term])).toThrow('could not parse GenericResource: ');
    },
  );

  it('a kind has a number or names, not both, and one number only', () => {
    expect(() => parseGenericResources(['gpu=4', 'gpu=u1'])).toThrow(
      "mixed discrete and named resources in expression 'gpu=4,u1'",
    );
    expect(() => parseGenericResources(['gpu=4', 'gpu=4'])).toThrow('mixed discrete and named');
  });
});
