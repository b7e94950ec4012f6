type List = readonly string[];

/** The flags of a task that `service create` and `service update` have in common, as given. */
export interface TaskFlags {
  readonly workdir?: string;
  readonly user?: string;
  readonly hostname?: string;
  readonly limitCpu?: string;
  readonly limitMemory?: string;
  readonly limitPids?: string;
  readonly reserveCpu?: string;
  readonly reserveMemory?: string;
  readonly memorySwap?: string;
  readonly memorySwappiness?: string;
  readonly oomScoreAdj?: string;
  readonly replicasMaxPerNode?: string;
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
  readonly healthStartInterval?: string;
  /** false with `--no-healthcheck`. */
  readonly healthcheck?: boolean;
  readonly init?: boolean;
  readonly tty?: boolean;
  readonly readOnly?: boolean;
  readonly isolation?: string;
  readonly capAdd?: List;
  readonly capDrop?: List;
  readonly logDriver?: string;
  readonly logOpt?: List;
}
