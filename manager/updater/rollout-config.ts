import type { UpdateConfig } from '../../proto/engine/service-spec.js';
import type { UpdateState } from '../../proto/engine/service-document.js';
import type { ServiceObject } from '../store/objects.js';

const NS_PER_MS = 1e6;
const DEFAULT_MONITOR = 5_000;

/** An UpdateConfig with its defaults; times in ms. */
export interface RolloutConfig {
  /** Slots changed at a time; Infinity = all. */
  readonly parallelism: number;
  readonly delay: number;
  readonly monitor: number;
  readonly failureAction: 'pause' | 'continue' | 'rollback';
  readonly maxFailureRatio: number;
  /** Undefined: start-first where that can work. */
  readonly order: UpdateConfig['Order'];
}

const isRollback = (state: UpdateState | undefined): boolean => state?.startsWith('rollback_') ?? false;

/** The settings that rule the rollout of a service: RollbackConfig while it is rolled back. */
export function rolloutConfig({ spec, updateStatus }: Pick<ServiceObject, 'spec' | 'updateStatus'>): RolloutConfig {
  const config = isRollback(updateStatus?.State) ? spec.RollbackConfig : spec.UpdateConfig;
  const parallelism = config?.Parallelism ?? 1;
  const monitor = (config?.Monitor ?? 0) / NS_PER_MS;
  return {
    parallelism: parallelism === 0 ? Infinity : parallelism,
    delay: (config?.Delay ?? 0) / NS_PER_MS,
    monitor: monitor === 0 ? DEFAULT_MONITOR : monitor,
    failureAction: config?.FailureAction ?? 'pause',
    maxFailureRatio: config?.MaxFailureRatio ?? 0,
    order: config?.Order,
  };
}

/** A rollout goes on; a paused one waits for the next update. */
export const isRolling = ({ rollout, updateStatus }: Pick<ServiceObject, 'rollout' | 'updateStatus'>): boolean =>
  rollout !== undefined && (updateStatus?.State === 'updating' || updateStatus?.State === 'rollback_started');
