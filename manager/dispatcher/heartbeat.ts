import type { SwarmSpec } from '../../proto/engine/swarm-document.js';

const NS_PER_MS = 1e6;
/** The Engine API's default, which clients echo back without meaning it, ns. */
const ECHOED_DEFAULT = 5_000 * NS_PER_MS;
/** bale's own: with them a replacement runs within 3 s of a cut, ms. */
const PERIOD = 500;
const GRACE = 2_250;
/** Beats more frequent than this measure the network, not the node, ms. */
const SHORTEST = 100;

export interface Heartbeat {
  /** Between two beats of an agent, ms. */
  readonly period: number;
  /** After so much silence a node is down, ms. */
  readonly grace: number;
}

/** The pace of heartbeats by `Dispatcher.HeartbeatPeriod`: a set one is obeyed, with three periods of grace. */
export function heartbeatOf(spec: Pick<SwarmSpec, 'Dispatcher'> | undefined): Heartbeat {
  const wanted = spec?.Dispatcher.HeartbeatPeriod ?? 0;
  if (wanted <= 0 || wanted === ECHOED_DEFAULT) return { period: PERIOD, grace: GRACE };
  const period = Math.max(SHORTEST, Math.round(wanted / NS_PER_MS));
  return { period, grace: 3 * period };
}
