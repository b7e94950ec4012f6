import { isJob } from './service-mode.js';
import type { ServiceSpec, UpdateConfig } from './service-spec.js';
import type { RestartPolicy } from './task-spec.js';

/** What the Engine means by an absent field (swarm.md 1.3-1.5); durations in ns. */
export const DEFAULT_STOP_GRACE_PERIOD = 10e9;
export const DEFAULT_RESTART_POLICY = { Condition: 'any', Delay: 5e9, MaxAttempts: 0 } as const satisfies RestartPolicy;
/** No order: start-first where it can work (docs/updater.md). */
const DEFAULT_UPDATE_CONFIG = {
  Parallelism: 1,
  FailureAction: 'pause',
  Monitor: 5e9,
  MaxFailureRatio: 0,
} as const satisfies UpdateConfig;

/** `spec` as `GET /services/{id}?insertDefaults=true` shows it. */
export function insertServiceDefaults(spec: ServiceSpec): ServiceSpec {
  const { TaskTemplate } = spec;
  return {
    ...spec,
    TaskTemplate: {
      ...TaskTemplate,
      ContainerSpec: { StopGracePeriod: DEFAULT_STOP_GRACE_PERIOD, DNSConfig: {}, ...TaskTemplate.ContainerSpec },
      Resources: { ...TaskTemplate.Resources },
      RestartPolicy: { ...DEFAULT_RESTART_POLICY, ...TaskTemplate.RestartPolicy },
      Placement: { ...TaskTemplate.Placement },
    },
    // A job may have neither: a client that sends back what it was shown shall not be refused.
    ...(isJob(spec.Mode)
      ? {}
      : {
          UpdateConfig: filledConfig(spec.UpdateConfig),
          RollbackConfig: filledConfig(spec.RollbackConfig),
        }),
  };
}

/** A configuration that was sent without a parallelism changes all at once; 5 s are watched unless it says otherwise. */
function filledConfig(config: UpdateConfig | undefined): UpdateConfig {
  if (config === undefined) return { ...DEFAULT_UPDATE_CONFIG };
  const { Monitor = 0 } = config;
  return { ...DEFAULT_UPDATE_CONFIG, ...config, Monitor: Monitor === 0 ? DEFAULT_UPDATE_CONFIG.Monitor : Monitor };
}
