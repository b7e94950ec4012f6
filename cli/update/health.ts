import { BaleError } from '../../core/errors.js';
import { parseDuration } from '../../proto/engine/duration.js';
import type { HealthConfig } from '../../proto/engine/container-spec.js';
import { parseCount } from '../flags/quantity.js';
import { setField } from './set-field.js';
import type { UpdateFlags } from './update-flags.js';

type HealthFlags = Pick<
  UpdateFlags,
  'healthCmd' | 'healthInterval' | 'healthTimeout' | 'healthRetries' | 'healthStartPeriod' | 'healthcheck'
>;

/** The health check with its flags applied. An empty `--health-cmd`, or any flag after `--no-healthcheck`, is the image's command again. */
export function patchHealth(current: HealthConfig | undefined, flags: HealthFlags): HealthConfig | undefined {
  const { healthCmd, healthInterval, healthTimeout, healthRetries, healthStartPeriod } = flags;
  const given = [healthCmd, healthInterval, healthTimeout, healthRetries, healthStartPeriod].some(
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
  if (healthStartPeriod !== undefined) health.StartPeriod = parseDuration(healthStartPeriod, '--health-start-period');
  if (healthRetries !== undefined) health.Retries = parseCount('--health-retries', healthRetries);
  if (healthCmd !== undefined) setField(health, 'Test', healthCmd === '' ? [] : ['CMD-SHELL', healthCmd]);
  return health;
}
