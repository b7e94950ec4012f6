import { BaleError } from '../../core/errors.js';
import type { ClientRole } from '../../proto/client-certificate.js';
import type { ClientCertificate } from '../store/objects.js';

/** How long an expired certificate is still listed, ms. */
const REMEMBERED = 30 * 24 * 60 * 60 * 1000;
/** Certificates that are kept at a time; they stand in one row of the store. */
const MOST_CERTIFICATES = 500;

/** Whether the holder of a certificate is let in. */
export type ClientVerdict =
  | { readonly kind: 'client'; readonly name: string; readonly role: ClientRole; readonly reason: string }
  | { readonly kind: 'refused'; readonly error: BaleError };

export const stateOf = (certificate: ClientCertificate, now: number): 'valid' | 'expired' | 'revoked' =>
  certificate.revokedAt !== undefined ? 'revoked' : certificate.expiresAt <= now ? 'expired' : 'valid';

/**
 * Judges a certificate that the client CA signed. Only one that stands in the list is good: what the
 * list does not know was revoked and forgotten, or belongs to a state that a backup took back.
 */
export function judgeClient(certificates: readonly ClientCertificate[], id: string, now: number): ClientVerdict {
  const found = certificates.find((certificate) => certificate.id === id);
  if (found === undefined) {
    return refused('BALE_CLIENT_CERTIFICATE_UNKNOWN', 'this cluster does not know this client certificate');
  }
  const { name, role } = found;
  switch (stateOf(found, now)) {
    case 'valid':
      return { kind: 'client', name, role, reason: `certificate ${name} is valid` };
    case 'revoked':
      return refused('BALE_CLIENT_CERTIFICATE_REVOKED', `the client certificate ${name} was revoked`);
    case 'expired':
      return refused(
        'BALE_CLIENT_CERTIFICATE_EXPIRED',
        `the client certificate ${name} expired at ${atTime(found.expiresAt)}`,
      );
  }
}

/** RFC 3339; a pure function of its argument. */
const atTime = (ms: number): string => new Date(ms).toISOString();

/** What is told to those that are not let in: what to do. */
export const CLIENT_REMEDY = 'ask an admin for a new one: "bale client-cert create NAME --role ROLE" on a manager';

const refused = (code: string, what: string): ClientVerdict => ({
  kind: 'refused',
  error: new BaleError(`${what}; ${CLIENT_REMEDY}`, { kind: 'unauthenticated', code }),
});

/** The list with another certificate. Throws when its name has a valid one, or there are too many. */
export function addCertificate(
  certificates: readonly ClientCertificate[],
  added: ClientCertificate,
): readonly ClientCertificate[] {
  const now = added.createdAt;
  const holder = certificates.find((one) => one.name === added.name && stateOf(one, now) === 'valid');
  if (holder !== undefined) {
    throw new BaleError(
      `client certificate ${added.name} already exists (${holder.role}, until ${atTime(holder.expiresAt)}): ` +
        'revoke it first, or choose another name',
      { kind: 'conflict', code: 'BALE_NAME_CONFLICT' },
    );
  }
  const kept = certificates.filter(({ expiresAt }) => expiresAt + REMEMBERED > now);
  if (kept.length >= MOST_CERTIFICATES) {
    throw new BaleError(
      `there are ${kept.length} client certificates already, which is the most: those that are revoked or expired ` +
        'are forgotten 30 days after their expiry; give certificates a shorter --expiry',
      { kind: 'failed-precondition', code: 'BALE_CLIENT_CERTIFICATE_LIMIT' },
    );
  }
  return [...kept, added];
}

/** The list in which no certificate of this name is valid any more. Throws BALE_NOT_FOUND where none was. */
export function revokeName(
  certificates: readonly ClientCertificate[],
  name: string,
  now: number,
): readonly ClientCertificate[] {
  const isMeant = (one: ClientCertificate): boolean => one.name === name && stateOf(one, now) === 'valid';
  if (!certificates.some(isMeant)) {
    throw new BaleError(
      `valid client certificate ${name.slice(0, 64)} not found; "bale client-cert ls" shows those that there are`,
      { kind: 'not-found', code: 'BALE_NOT_FOUND' },
    );
  }
  return certificates.map((one) => (isMeant(one) ? { ...one, revokedAt: now } : one));
}
