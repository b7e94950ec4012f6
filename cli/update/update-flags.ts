import type { RolloutFlags } from './rollout-config.js';

type List = readonly string[];

/** The flags of `service update`, as given. A flag that was not given changes nothing. */
export interface UpdateFlags extends RolloutFlags {
  readonly image?: string;
  readonly args?: string;
  readonly entrypoint?: string;
  readonly envAdd?: List;
  readonly envRm?: List;
  readonly labelAdd?: List;
  readonly labelRm?: List;
  readonly containerLabelAdd?: List;
  readonly containerLabelRm?: List;
  readonly publishAdd?: List;
  readonly publishRm?: List;
  readonly mountAdd?: List;
  readonly mountRm?: List;
  readonly groupAdd?: List;
  readonly groupRm?: List;
  readonly hostAdd?: List;
  readonly hostRm?: List;
  readonly dnsAdd?: List;
  readonly dnsRm?: List;
  readonly dnsOptionAdd?: List;
  readonly dnsOptionRm?: List;
  readonly dnsSearchAdd?: List;
  readonly dnsSearchRm?: List;
  readonly capAdd?: List;
  readonly capDrop?: List;
  readonly sysctlAdd?: List;
  readonly sysctlRm?: List;
  readonly ulimitAdd?: List;
  readonly ulimitRm?: List;
  readonly replicas?: string;
  readonly limitCpu?: string;
  readonly limitMemory?: string;
  readonly limitPids?: string;
  readonly reserveCpu?: string;
  readonly reserveMemory?: string;
  readonly restartCondition?: string;
  readonly restartDelay?: string;
  readonly restartMaxAttempts?: string;
  readonly restartWindow?: string;
  readonly stopSignal?: string;
  readonly stopGracePeriod?: string;
  readonly healthCmd?: string;
  readonly healthInterval?: string;
  readonly healthTimeout?: string;
  readonly healthRetries?: string;
  readonly healthStartPeriod?: string;
  /** false with `--no-healthcheck`. */
  readonly healthcheck?: boolean;
  readonly init?: boolean;
  readonly tty?: boolean;
  readonly readOnly?: boolean;
  readonly hostname?: string;
  readonly workdir?: string;
  readonly user?: string;
  readonly logDriver?: string;
  readonly logOpt?: List;
  readonly force?: boolean;
}
