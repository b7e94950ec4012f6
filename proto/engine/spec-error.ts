import { BaleError } from '../../core/errors.js';

/** A spec that breaks a rule: 400 in the form in which the Engine passes SwarmKit's words on. */
export const specError = (words: string): BaleError =>
  new BaleError(`rpc error: code = InvalidArgument desc = ${words}`, { kind: 'invalid', code: 'BALE_SPEC_INVALID' });
