import { backoffDelay } from '../../core/backoff.js';
import { describeProbe, type HealthCheck, type ProbeResult } from '../executor/health-check.js';

/**
 * The probes that the agent makes of a container while the Engine has not made its own: the Engine waits
 * a whole interval before the first. They can only say that a task is healthy sooner. One that fails
 * counts for nothing, and once the task runs the Engine's verdict alone rules.
 */
export interface Probes {
  /** How many were begun. */
  readonly made: number;
  /** When the container was first seen to wait for its health, ms since the epoch. */
  readonly from?: number;
  /** When the last one ended, or the container was first seen to wait for its health; ms since the epoch. */
  readonly since?: number;
  readonly last?: ProbeResult;
  /** One has passed. */
  readonly passed: boolean;
  /** Why the Engine does not run any. */
  readonly refused?: string;
}

export const NO_PROBES: Probes = { made: 0, passed: false };

/** ms. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/**
 * When the next probe is due, ms since the epoch: after pauses of 100 ms, doubled up to 5 s, never longer
 * than the interval. `startInterval`, ms, is the spec's own wish for the pauses of the start period, which
 * Engines of API 1.41 do not know.
 */
export function nextProbeAt(
  { made, from, since, refused }: Probes,
  check: HealthCheck | undefined,
  startInterval?: number,
): number | undefined {
  if (check === undefined || since === undefined || refused !== undefined) return undefined;
  if (startInterval !== undefined && since < (from ?? since) + check.startPeriod) return since + startInterval;
  const max = Math.min(LONGEST_PAUSE, check.interval);
  return since + backoffDelay({ initial: Math.min(FIRST_PAUSE, max), max }, made);
}

/** What a task that is not healthy yet waits for; undefined while there is nothing to say beyond its state. */
export function describeWait({ last, refused }: Probes): string | undefined {
  if (last !== undefined) return `waiting for the health check, ${describeProbe(last)}`;
  return refused === undefined ? undefined : "waiting for the Engine's health check";
}

/** The container is seen to wait for its health. */
export const probesFrom = (probes: Probes, now: number): Probes =>
  probes.since === undefined ? { ...probes, from: now, since: now } : probes;

/** Counted when it begins, so that one whose end is not seen counts too. */
export const probeBegun = (probes: Probes, now: number): Probes => ({ ...probes, made: probes.made + 1, since: now });

export const probeEnded = (probes: Probes, last: ProbeResult, now: number): Probes => ({
  ...probes,
  since: now,
  last,
  passed: last.kind === 'ended' && last.exitCode === 0,
});
