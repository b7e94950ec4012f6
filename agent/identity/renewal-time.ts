/**
 * When a certificate is to be renewed, ms since the epoch: at a random moment between 50 % and 80 %
 * of its life, so that a cluster's nodes do not all come at once and each has time for retries.
 *
 * @param life when the certificate was made and when it expires, ms since the epoch
 * @param random 0 ≤ random < 1
 */
export function renewalTime(life: { readonly issuedAt: number; readonly expiresAt: number }, random: number): number {
  const length = life.expiresAt - life.issuedAt;
  return life.issuedAt + length * (0.5 + 0.3 * random);
}
