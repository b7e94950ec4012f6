import { BaleError } from '../../core/errors.js';

/** A flag that cannot be understood: names the flag, the value and what is expected. */
export const usageError = (flag: string, value: string, reason: string): BaleError =>
  new BaleError(`invalid argument "${value}" for "${flag}": ${reason}`, { kind: 'invalid', code: 'BALE_FLAG_INVALID' });
