export interface BackoffPolicy {
  /** First delay, ms. */
  readonly initial: number;
  /** No delay is longer, ms. */
  readonly max: number;
  /** Growth from one attempt to the next; 2 unless given. */
  readonly factor?: number;
}

/** The delay before attempt `attempt` (0 = the first retry), without jitter, ms. */
export function backoffDelay(policy: BackoffPolicy, attempt: number): number {
  const factor = policy.factor ?? 2;
  return Math.min(policy.max, policy.initial * factor ** Math.min(attempt, 64));
}

/** A random share of `delay` between half and all of it, so that many peers do not return in step. */
export const withJitter = (delay: number, random: number): number => delay * (0.5 + random / 2);
