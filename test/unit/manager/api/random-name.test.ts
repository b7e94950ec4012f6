import { describe, expect, it } from 'vitest';
import { randomName } from '../../../../manager/api/random-name.js';

describe('a made-up name', () => {
  it('is an adjective and a surname, over the whole range of chance', () => {
    for (const chance of [0, 0.25, 0.5, 0.999_999]) {
      expect(
        randomName(
          () => chance,
          () => false,
        ),
      ).toMatch(/^[a-z]+_[a-z]+$/);
    }
    expect(
      randomName(
        () => 0,
        () => false,
      ),
    ).not.toBe(
      randomName(
        () => 0.99,
        () => false,
      ),
    );
  });

  it('gets the first number that is free when it is taken', () => {
    const taken = new Set<string>();
    const next = () => {
      const name = randomName(
        () => 0,
        (one) => taken.has(one),
      );
      taken.add(name);
      return name;
    };
    const first = next();
    expect([next(), next()]).toEqual([`${first}2`, `${first}3`]);
  });
});
