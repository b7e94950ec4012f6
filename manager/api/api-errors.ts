import { BaleError } from '../../core/errors.js';

/** The Engine's words for what its API refuses (swarm.md 1.10, 1.12). Tools match on them. */

export const notFound = (noun: string, id: string): BaleError =>
  new BaleError(`${noun} ${id} not found`, { kind: 'not-found', code: 'BALE_NOT_FOUND' });

export const ambiguous = (noun: string, id: string, matches: number): BaleError =>
  new BaleError(`${noun} ${id} is ambiguous (${matches} matches found)`, { kind: 'invalid', code: 'BALE_AMBIGUOUS' });

export const outOfSequence = (): BaleError =>
  new BaleError('rpc error: code = Unknown desc = update out of sequence', {
    kind: 'out-of-sequence',
    code: 'BALE_OUT_OF_SEQUENCE',
  });

export const nameConflict = (name: string): BaleError =>
  new BaleError(
    `rpc error: code = AlreadyExists desc = name conflicts with an existing object: service ${name} already exists`,
    { kind: 'conflict', code: 'BALE_NAME_CONFLICT' },
  );

/** Of a secret or config. */
export const payloadConflict = (noun: string, name: string): BaleError =>
  new BaleError(`rpc error: code = AlreadyExists desc = ${noun} ${name} already exists`, {
    kind: 'conflict',
    code: 'BALE_NAME_CONFLICT',
  });

export const inUse = (noun: string, name: string, services: readonly string[]): BaleError =>
  new BaleError(
    `rpc error: code = InvalidArgument desc = ${noun} '${name}' is in use by the following ` +
      `${services.length === 1 ? 'service' : 'services'}: ${services.join(', ')}`,
    { kind: 'invalid', code: 'BALE_IN_USE' },
  );

export const unimplemented = (words: string): BaleError =>
  new BaleError(`rpc error: code = Unimplemented desc = ${words}`, {
    kind: 'unimplemented',
    code: 'BALE_NOT_IMPLEMENTED',
  });

export const failedPrecondition = (words: string, code: string): BaleError =>
  new BaleError(`rpc error: code = FailedPrecondition desc = ${words}`, { kind: 'failed-precondition', code });

export const invalidFilter = (words: string): BaleError =>
  new BaleError(words, { kind: 'invalid', code: 'BALE_FILTER_INVALID' });

/** `?version=` of an update, as Go's ParseUint reads it. Throws BALE_VERSION_INVALID. */
export function parseVersion(noun: string, version: string | undefined): number {
  const given = version ?? '';
  if (/^\d{1,15}$/.test(given)) return Number(given);
  const cause = /^\d+$/.test(given) ? 'value out of range' : 'invalid syntax';
  throw new BaleError(
    `invalid ${noun} version '${given}': strconv.ParseUint: parsing ${JSON.stringify(given)}: ${cause}`,
    { kind: 'invalid', code: 'BALE_VERSION_INVALID' },
  );
}
