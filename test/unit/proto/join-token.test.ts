import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSameSecret, makeJoinToken, newJoinSecret, parseJoinToken, rootDigest } from '../../../proto/join-token.js';

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

describe('a join token', () => {
  it('has the shape of every swarm’s: digest of 50, secret of 25 characters', () => {
    for (let count = 0; count < 200; count += 1) {
      expect(makeJoinToken(PEM, newJoinSecret())).toMatch(/^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$/);
    }
  });

  it('carries the SHA-256 of the root’s text in base 36', () => {
    const value = BigInt(`0x${createHash('sha256').update(PEM).digest('hex')}`);
    expect(rootDigest(PEM)).toBe(value.toString(36).padStart(50, '0'));
    const secret = newJoinSecret();
    expect(parseJoinToken(` ${makeJoinToken(PEM, secret)}\n`)).toEqual({ rootDigest: rootDigest(PEM), secret });
  });

  it('has a new secret each time', () => {
    expect(new Set(Array.from({ length: 100 }, newJoinSecret)).size).toBe(100);
  });

  const digest = 'd'.repeat(50);
  const secret = 'hush'.padEnd(25, 'h');
  it.each([
    ['', 'it does not begin with SWMTKN-'],
    [secret, 'it does not begin with SWMTKN-'],
    [`SWMTKN-2-1-${digest}-${secret}`, 'it is not of version 1'],
    [`SWMTKN-1-${digest}`, 'it must have four parts'],
    [`SWMTKN-1-${digest}-${secret}-x`, 'it must have four parts'],
    [`SWMTKN-1-${digest.slice(1)}-${secret}`, 'its digest has 49 characters instead of 50'],
    [`SWMTKN-1-${digest}-${secret.slice(1)}`, 'its secret has 24 characters instead of 25'],
    [`SWMTKN-1-${digest}-${secret.slice(1)}Z`, 'its secret holds characters other than 0-9 and a-z'],
  ])('%j is refused, naming what is wrong and not the secret', (text, reason) => {
    const parse = (): unknown => parseJoinToken(text);
    expect(parse).toThrow(expect.objectContaining({ code: 'BALE_JOIN_TOKEN_INVALID', kind: 'invalid' }) as Error);
    expect(parse).toThrow(reason);
    expect(parse).not.toThrow('hush');
  });

  it('compares secrets whole', () => {
    expect(isSameSecret(secret, secret)).toBe(true);
    expect(isSameSecret(secret, `${secret}x`)).toBe(false);
    expect(isSameSecret(secret, '')).toBe(false);
  });
});
