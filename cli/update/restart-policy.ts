import { parseDuration } from '../../proto/engine/duration.js';
import type { RestartPolicy } from '../../proto/engine/task-spec.js';
import { parseCount } from '../flags/quantity.js';
import { usageError } from '../flags/usage-error.js';
import type { UpdateFlags } from './update-flags.js';

type RestartFlags = Pick<UpdateFlags, 'restartCondition' | 'restartDelay' | 'restartMaxAttempts' | 'restartWindow'>;

/** The restart policy with its flags applied. What is not given stays as it is, or the daemon's default. */
export function patchRestartPolicy(current: RestartPolicy | undefined, flags: RestartFlags): RestartPolicy | undefined {
  const { restartCondition: condition, restartDelay, restartMaxAttempts, restartWindow } = flags;
  if ([condition, restartDelay, restartMaxAttempts, restartWindow].every((flag) => flag === undefined)) return current;
  if (condition !== undefined && condition !== 'none' && condition !== 'on-failure' && condition !== 'any') {
    throw usageError('--restart-condition', condition, 'the conditions are none, on-failure, any');
  }
  return {
    ...current,
    ...(condition === undefined ? {} : { Condition: condition }),
    ...(restartDelay === undefined ? {} : { Delay: parseDuration(restartDelay, '--restart-delay') }),
    ...(restartMaxAttempts === undefined
      ? {}
      : { MaxAttempts: parseCount('--restart-max-attempts', restartMaxAttempts) }),
    ...(restartWindow === undefined ? {} : { Window: parseDuration(restartWindow, '--restart-window') }),
  };
}
