import { expect, it } from 'vitest';
import { renewalTime } from '../../../../agent/identity/renewal-time.js';

it('a certificate is renewed at a random moment between 50 % and 80 % of its life', () => {
  const life = { issuedAt: 1000, expiresAt: 2000 };
  expect(renewalTime(life, 0)).toBe(1500);
  expect(renewalTime(life, 0.5)).toBe(1650);
  expect(renewalTime(life, 0.999999)).toBeCloseTo(1800, 1);
});
