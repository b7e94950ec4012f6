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

const LARGEST_VERSION = 2n ** 64n - 1n;
/** Characters of a wrong version that are repeated. */
const SHOWN = 64;

/**
 * `?version=` of an update, as Go's ParseUint reads it. A number that is rounded here is the version of
 * nothing: a store does not count so far. Throws BALE_VERSION_INVALID.
 */
export function parseVersion(
  noun: 'service' | 'node' | 'swarm' | 'secret' | 'config',
  version: string | undefined,
): number {
  const given = version ?? '';
  const isNumber = /^\d+$/.test(given);
  if (isNumber && given.length <= SHOWN && BigInt(given) <= LARGEST_VERSION) return Number(given);
  const shown = given.slice(0, SHOWN);
  const cause = `strconv.ParseUint: parsing ${JSON.stringify(shown)}: ${isNumber ? 'value out of range' : 'invalid syntax'}`;
  // The Engine says why for all nouns but these.
  const isPayload = noun === 'secret' || noun === 'config';
  throw new BaleError(`invalid ${noun} version${isPayload ? '' : ` '${shown}': ${cause}`}`, {
    kind: 'invalid',
    code: 'BALE_VERSION_INVALID',
  });
}
