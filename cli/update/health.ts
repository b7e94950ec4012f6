import { BaleError } from '../../core/errors.js';
import { parseDuration } from '../../proto/engine/duration.js';
import type { HealthConfig } from '../../proto/engine/container-spec.js';
import { parseCount } from '../flags/quantity.js';
import type { TaskFlags } from '../flags/task-flags.js';
import { setField } from './set-field.js';

/** The health check with its flags applied. An empty `--health-cmd`, or any flag after `--no-healthcheck`, is the image's command again. */
export function patchHealth(current: HealthConfig | undefined, flags: TaskFlags): HealthConfig | undefined {
  const { healthCmd, healthInterval, healthTimeout, healthRetries } = flags;
  const { healthStartPeriod: startPeriod, healthStartInterval: startInterval } = flags;
  const given = [healthCmd, healthInterval, healthTimeout, healthRetries, startPeriod, startInterval].some(
    (flag) => flag !== undefined,
  );
  if (flags.healthcheck === false) {
    if (!given) return { Test: ['NONE'] };
    throw new BaleError('--no-healthcheck conflicts with --health-* options', {
      kind: 'invalid',
      code: 'BALE_FLAG_INVALID',
    });
  }
  if (!given) return current;
  const health: HealthConfig = { ...current };
  if (health.Test?.[0] === 'NONE') delete health.Test;
  if (healthInterval !== undefined) health.Interval = parseDuration(healthInterval, '--health-interval');
  if (healthTimeout !== undefined) health.Timeout = parseDuration(healthTimeout, '--health-timeout');
  if (startPeriod !== undefined) health.StartPeriod = parseDuration(startPeriod, '--health-start-period');
  if (startInterval !== undefined) health.StartInterval = parseDuration(startInterval, '--health-start-interval');
  if (healthRetries !== undefined) health.Retries = parseCount('--health-retries', healthRetries);
  if (healthCmd !== undefined) setField(health, 'Test', healthCmd === '' ? [] : ['CMD-SHELL', healthCmd]);
  return health;
}
