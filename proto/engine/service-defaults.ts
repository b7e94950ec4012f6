import type { ServiceSpec, UpdateConfig } from './service-spec.js';
import type { RestartPolicy } from './task-spec.js';

/** What the Engine means by an absent field (swarm.md 1.3-1.5); durations in ns. */
export const DEFAULT_STOP_GRACE_PERIOD = 10e9;
export const DEFAULT_RESTART_POLICY = { Condition: 'any', Delay: 5e9, MaxAttempts: 0 } as const satisfies RestartPolicy;
const DEFAULT_UPDATE_CONFIG = {
  Parallelism: 1,
  FailureAction: 'pause',
  Monitor: 5e9,
  MaxFailureRatio: 0,
  Order: 'stop-first',
} as const satisfies UpdateConfig;

/** True for a config that asks for nothing beyond the defaults, or for nothing at all (`{}`). */
export function isDefaultUpdateConfig(config: UpdateConfig): boolean {
  const empty = Object.values(config).every((value) => value === 0);
  return (
    empty ||
    (config.Parallelism === DEFAULT_UPDATE_CONFIG.Parallelism &&
      (config.Delay ?? 0) === 0 &&
      (config.FailureAction ?? 'pause') === DEFAULT_UPDATE_CONFIG.FailureAction &&
      (config.Monitor ?? DEFAULT_UPDATE_CONFIG.Monitor) === DEFAULT_UPDATE_CONFIG.Monitor &&
      (config.MaxFailureRatio ?? 0) === 0 &&
      (config.Order ?? 'stop-first') === DEFAULT_UPDATE_CONFIG.Order)
  );
}

/** `spec` as `GET /services/{id}?insertDefaults=true` shows it. */
export function insertServiceDefaults(spec: ServiceSpec): ServiceSpec {
  const { TaskTemplate } = spec;
  return {
    ...spec,
    TaskTemplate: {
      ...TaskTemplate,
      ContainerSpec: { StopGracePeriod: DEFAULT_STOP_GRACE_PERIOD, ...TaskTemplate.ContainerSpec },
      RestartPolicy: { ...DEFAULT_RESTART_POLICY, ...TaskTemplate.RestartPolicy },
    },
    UpdateConfig: spec.UpdateConfig ?? { ...DEFAULT_UPDATE_CONFIG },
    RollbackConfig: spec.RollbackConfig ?? { ...DEFAULT_UPDATE_CONFIG },
  };
}
