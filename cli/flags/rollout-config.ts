import { parseDuration } from '../../proto/engine/duration.js';
import type { UpdateConfig } from '../../proto/engine/service-spec.js';
import { parseCount } from './quantity.js';
import { usageError } from './usage-error.js';

/** `--update-*` or `--rollback-*`, as given. */
export interface RolloutFlags {
  readonly parallelism?: string | undefined;
  readonly delay?: string | undefined;
  readonly monitor?: string | undefined;
  readonly failureAction?: string | undefined;
  readonly maxFailureRatio?: string | undefined;
  readonly order?: string | undefined;
}

/** The config with the flags on top; the very one when none is given. A first one has a parallelism of 1: 0 would be all at once. */
export function rolloutConfig(
  prefix: '--update' | '--rollback',
  flags: RolloutFlags,
  present: UpdateConfig | undefined,
): UpdateConfig | undefined {
  if (Object.values(flags).every((value) => value === undefined)) return present;
  const { parallelism, delay, monitor, failureAction, maxFailureRatio, order } = flags;
  return {
    Parallelism: 1,
    ...present,
    ...(parallelism === undefined ? {} : { Parallelism: parseCount(`${prefix}-parallelism`, parallelism) }),
    ...(delay === undefined ? {} : { Delay: parseDuration(delay, `${prefix}-delay`) }),
    ...(monitor === undefined ? {} : { Monitor: parseDuration(monitor, `${prefix}-monitor`) }),
    ...(failureAction === undefined ? {} : { FailureAction: action(`${prefix}-failure-action`, failureAction) }),
    ...(maxFailureRatio === undefined
      ? {}
      : { MaxFailureRatio: ratio(`${prefix}-max-failure-ratio`, maxFailureRatio) }),
    ...(order === undefined ? {} : { Order: orderOf(`${prefix}-order`, order) }),
  };
}

function action(flag: string, text: string): NonNullable<UpdateConfig['FailureAction']> {
  if (text === 'pause' || text === 'continue' || text === 'rollback') return text;
  throw usageError(flag, text, 'the actions are pause, continue, rollback');
}

function orderOf(flag: string, text: string): NonNullable<UpdateConfig['Order']> {
  if (text === 'start-first' || text === 'stop-first') return text;
  throw usageError(flag, text, 'the orders are start-first, stop-first');
}

function ratio(flag: string, text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value <= 1) return value;
  throw usageError(flag, text, 'write a number from 0 to 1');
}
