import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { BaleError } from '../core/errors.js';
import { base36 } from '../core/id.js';

/**
 * A join token: `SWMTKN-1-<digest of the root>-<secret>`. The digest lets a joiner check the cluster
 * before it sends the secret; which of the cluster's two secrets it carries says the role.
 */
export interface JoinToken {
  /** 50 characters of base 36: SHA-256 of the root certificate's PEM text. */
  readonly rootDigest: string;
  /** 25 characters of base 36. Never logged. */
  readonly secret: string;
}

const DIGEST_LENGTH = 50;
const SECRET_LENGTH = 25;

export const newJoinSecret = (): string => base36(randomBytes(16), SECRET_LENGTH);

export const rootDigest = (rootCertificatePem: string): string =>
  base36(createHash('sha256').update(rootCertificatePem).digest(), DIGEST_LENGTH);

export const makeJoinToken = (rootCertificatePem: string, secret: string): string =>
  `SWMTKN-1-${rootDigest(rootCertificatePem)}-${secret}`;

/** Throws BALE_JOIN_TOKEN_INVALID, saying what is wrong without repeating the token. */
export function parseJoinToken(text: string): JoinToken {
  const [prefix, version, digest, secret, ...rest] = text.trim().split('-');
  if (prefix !== 'SWMTKN') throw invalid('it does not begin with SWMTKN-');
  if (version !== '1') throw invalid('it is not of version 1 (SWMTKN-1-…)');
  if (digest === undefined || secret === undefined || rest.length > 0) {
    throw invalid('it must have four parts, SWMTKN-1-<digest>-<secret>');
  }
  check(digest, DIGEST_LENGTH, 'digest');
  check(secret, SECRET_LENGTH, 'secret');
  return { rootDigest: digest, secret };
}

/** Compares two secrets in a time that does not tell where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

function check(part: string, length: number, name: string): void {
  if (part.length !== length) {
    throw invalid(`its ${name} has ${part.length} characters instead of ${length}; was it copied whole?`);
  }
  if (!/^[0-9a-z]+$/.test(part)) throw invalid(`its ${name} holds characters other than 0-9 and a-z`);
}

const invalid = (reason: string): BaleError =>
  new BaleError(`the join token is not valid: ${reason}`, { kind: 'invalid', code: 'BALE_JOIN_TOKEN_INVALID' });
