import { parseDuration } from '../../proto/engine/duration.js';
import type { UpdateConfig } from '../../proto/engine/service-spec.js';
import { parseCount } from '../flags/quantity.js';
import { usageError } from '../flags/usage-error.js';

/** The `--update-*` and `--rollback-*` flags, as given. */
export interface RolloutFlags {
  readonly updateParallelism?: string;
  readonly updateDelay?: string;
  readonly updateMonitor?: string;
  readonly updateFailureAction?: string;
  readonly updateMaxFailureRatio?: string;
  readonly updateOrder?: string;
  readonly rollbackParallelism?: string;
  readonly rollbackDelay?: string;
  readonly rollbackMonitor?: string;
  readonly rollbackFailureAction?: string;
  readonly rollbackMaxFailureRatio?: string;
  readonly rollbackOrder?: string;
}

type Action = NonNullable<UpdateConfig['FailureAction']>;
type Order = NonNullable<UpdateConfig['Order']>;

interface Settings {
  readonly parallelism: string | undefined;
  readonly delay: string | undefined;
  readonly monitor: string | undefined;
  readonly failureAction: string | undefined;
  readonly maxFailureRatio: string | undefined;
  readonly order: string | undefined;
}

/**
 * What is filled in beside the first setting that is named (ns). The order is not: unset it means
 * start-first where that can work, which no value of the field says.
 */
const DEFAULTS: UpdateConfig = { Parallelism: 1, FailureAction: 'pause', Monitor: 5e9, MaxFailureRatio: 0 };

const UPDATE_ACTIONS: readonly Action[] = ['pause', 'continue', 'rollback'];
const ROLLBACK_ACTIONS: readonly Action[] = ['pause', 'continue'];
const ORDERS: readonly Order[] = ['start-first', 'stop-first'];

/** UpdateConfig with the `--update-*` flags applied. */
export const patchUpdateConfig = (current: UpdateConfig | undefined, flags: RolloutFlags): UpdateConfig | undefined =>
  patchConfig(current, '--update', UPDATE_ACTIONS, {
    parallelism: flags.updateParallelism,
    delay: flags.updateDelay,
    monitor: flags.updateMonitor,
    failureAction: flags.updateFailureAction,
    maxFailureRatio: flags.updateMaxFailureRatio,
    order: flags.updateOrder,
  });

/** RollbackConfig with the `--rollback-*` flags applied. */
export const patchRollbackConfig = (current: UpdateConfig | undefined, flags: RolloutFlags): UpdateConfig | undefined =>
  patchConfig(current, '--rollback', ROLLBACK_ACTIONS, {
    parallelism: flags.rollbackParallelism,
    delay: flags.rollbackDelay,
    monitor: flags.rollbackMonitor,
    failureAction: flags.rollbackFailureAction,
    maxFailureRatio: flags.rollbackMaxFailureRatio,
    order: flags.rollbackOrder,
  });

function patchConfig(
  current: UpdateConfig | undefined,
  flag: string,
  actions: readonly Action[],
  settings: Settings,
): UpdateConfig | undefined {
  const { parallelism, delay, monitor, failureAction, maxFailureRatio, order } = settings;
  if (Object.values(settings).every((setting) => setting === undefined)) return current;
  return {
    ...(current ?? DEFAULTS),
    ...(parallelism === undefined ? {} : { Parallelism: parseCount(`${flag}-parallelism`, parallelism) }),
    ...(delay === undefined ? {} : { Delay: parseDuration(delay, `${flag}-delay`) }),
    ...(monitor === undefined ? {} : { Monitor: parseDuration(monitor, `${flag}-monitor`) }),
    ...(failureAction === undefined
      ? {}
      : { FailureAction: oneOf(`${flag}-failure-action`, failureAction, actions, 'actions') }),
    ...(maxFailureRatio === undefined ? {} : { MaxFailureRatio: ratio(`${flag}-max-failure-ratio`, maxFailureRatio) }),
    ...(order === undefined ? {} : { Order: oneOf(`${flag}-order`, order, ORDERS, 'orders') }),
  };
}

function oneOf<T extends string>(flag: string, text: string, values: readonly T[], noun: string): T {
  const found = values.find((value) => value === text);
  if (found === undefined) throw usageError(flag, text, `the ${noun} are ${values.join(', ')}`);
  return found;
}

function ratio(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value > 1) throw usageError(flag, text, 'write a number from 0 to 1');
  return value;
}
