import { parseDuration } from './duration.js';

/** Service labels that hold a duration, and what their absence means, ms. */
export const DRAIN_DEADLINE = 'bale.drain.deadline';
export const HOLD_TIMEOUT = 'bale.hold.timeout';
export const PROGRESS_DEADLINE = 'bale.update.progress-deadline';
/** Per target port of a udp port in ingress mode. */
export const udpTimeoutLabel = (targetPort: number): string => `bale.port.${targetPort}.udp-timeout`;

const NS_PER_MS = 1e6;
const DEFAULT_DRAIN_DEADLINE = 30_000;
const DEFAULT_HOLD_TIMEOUT = 10_000;
const DEFAULT_PROGRESS_DEADLINE = 600_000;
const DEFAULT_UDP_TIMEOUT = 60_000;

type Labels = Readonly<Record<string, string>>;

/** How long what is under way on a task may go on once nothing new is routed to it, ms. */
export const drainDeadline = (labels: Labels): number =>
  durationLabel(labels, DRAIN_DEADLINE) ?? DEFAULT_DRAIN_DEADLINE;

/** How long new work waits while the service has no replica that serves, ms. */
export const holdTimeout = (labels: Labels): number => durationLabel(labels, HOLD_TIMEOUT) ?? DEFAULT_HOLD_TIMEOUT;

/** How long a rollout may stand still, ms. */
export const progressDeadline = (labels: Labels): number =>
  durationLabel(labels, PROGRESS_DEADLINE) ?? DEFAULT_PROGRESS_DEADLINE;

/** How long a client of a udp port keeps its endpoint without a datagram either way, ms. */
export const udpTimeout = (labels: Labels, targetPort: number): number =>
  durationLabel(labels, udpTimeoutLabel(targetPort)) ?? DEFAULT_UDP_TIMEOUT;

/** In ms; undefined when the label is absent. Throws BALE_DURATION_INVALID. */
export function durationLabel(labels: Labels, label: string): number | undefined {
  const text = Object.hasOwn(labels, label) ? labels[label] : undefined;
  return text === undefined ? undefined : parseDuration(text, `label "${label}"`) / NS_PER_MS;
}
