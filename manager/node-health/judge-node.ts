import type { NodeState } from '../../proto/engine/node-document.js';

/** A node that was not heard since this manager started, or since it joined, has this long, ms. */
export const REGISTRATION_WINDOW = 10_000;
/** A mesh vouches for a node without a daemon no longer than this, counted from the silence, ms. */
export const VOUCH_LIMIT = 30_000;
/** Between two probes while the silence is young, and later, ms. */
const QUICK_PROBE = 300;
const SLOW_PROBE = 1_000;
const YOUNG_SILENCE = 5_000;
/** Refused so often in a row, nobody is there. */
const REFUSALS = 2;

/** What the manager has of a node's agent. */
export type Link =
  /** No session since this manager started, or since the node joined. */
  | { readonly kind: 'unheard' }
  | { readonly kind: 'open'; readonly engineError: string }
  /** Its session ended without a goodbye. */
  | { readonly kind: 'broken' }
  /** Its daemon was stopped on purpose. */
  | { readonly kind: 'goodbye' }
  /** It left the cluster. */
  | { readonly kind: 'left' };

/** What probes of the node's mesh told since its agent was last heard. */
export interface ProbeFacts {
  /** The address of its mesh is known. */
  readonly possible: boolean;
  readonly underWay: boolean;
  readonly lastEnd?: number;
  /** Connections refused in a row. */
  readonly refusals: number;
  /** When the mesh last answered. */
  readonly vouchedAt?: number;
}

/** Times are of one clock, ms. */
export interface NodeFacts {
  /** As the store has it. */
  readonly stored: { readonly state: NodeState; readonly message: string };
  readonly link: Link;
  /** When its agent was last heard; while `unheard`: when the waiting for it began. */
  readonly silentSince: number;
  readonly probe: ProbeFacts;
  /** This silence was judged already: the node is down until its agent is heard. */
  readonly lost: boolean;
  /** Silence that an open session may have, ms. */
  readonly grace: number;
  readonly now: number;
}

export interface NodeVerdict {
  readonly state: NodeState;
  readonly message: string;
  /** Its agent is out of reach and nobody knows yet what that means: it gets no new work. */
  readonly suspect: boolean;
  /** Down by this silence. */
  readonly lost: boolean;
  /** Ask its mesh now. */
  readonly probe: boolean;
  /** When to judge again although nothing happened. */
  readonly wakeAt?: number;
  readonly reason: string;
}

/** The state of a node, by what is heard of its agent and of its mesh. */
export function judgeNode(facts: NodeFacts): NodeVerdict {
  const { link, now, silentSince, grace } = facts;
  if (link.kind === 'left') return settled('down', 'left the cluster', 'it said that it leaves');
  if (facts.lost) return settled(facts.stored.state, facts.stored.message, 'its silence was judged already');
  const quietAt = silentSince + grace / 2;
  if (link.kind === 'open' && now < quietAt) {
    const ready = link.engineError === '';
    return {
      state: ready ? 'ready' : 'down',
      message: ready ? '' : `Docker Engine: ${link.engineError}`,
      suspect: false,
      lost: false,
      probe: false,
      wakeAt: quietAt,
      reason: ready ? 'its agent is connected' : 'its Engine does not answer',
    };
  }
  const lost = judgeSilence(facts, link.kind);
  if (lost !== undefined) return { ...settled('down', lost, lost), lost: true };
  return wait(facts, link.kind);
}

type SilentLink = Exclude<Link['kind'], 'left'>;

/** Why the node is down by its silence; undefined while it may still be well. */
function judgeSilence(facts: NodeFacts, link: SilentLink): string | undefined {
  const { now, silentSince, probe } = facts;
  if (probe.refusals >= REFUSALS && now >= refusalCountsAt(facts, link)) {
    return 'its daemon and mesh are gone (connection refused)';
  }
  if (now < deadlineOf(facts, link)) return undefined;
  const silence = seconds(now - silentSince);
  if (link === 'goodbye') return 'its daemon was stopped and its mesh does not answer';
  if (probe.vouchedAt !== undefined) {
    return now >= vouchLimit(facts)
      ? `its daemon did not return within ${silence}`
      : `its daemon is gone for ${silence} and its mesh for ${seconds(now - probe.vouchedAt)}`;
  }
  return link === 'unheard' ? `its agent did not connect within ${silence}` : `heartbeat lost ${silence} ago`;
}

/**
 * When the silence is over for good. An answer of the mesh is a sign of life like a heartbeat, but
 * it does not stand in for the daemon for ever, unless that was stopped on purpose.
 */
function deadlineOf(facts: NodeFacts, link: SilentLink): number {
  const { silentSince, grace } = facts;
  const { vouchedAt } = facts.probe;
  if (link === 'goodbye') return Math.max(silentSince, vouchedAt ?? silentSince) + grace;
  if (vouchedAt !== undefined) return Math.min(vouchedAt + grace, vouchLimit(facts));
  return silentSince + (link === 'unheard' ? Math.max(REGISTRATION_WINDOW, grace) : grace);
}

/** A grace that was set longer than the limit is obeyed. */
const vouchLimit = ({ silentSince, grace }: NodeFacts): number => silentSince + Math.max(VOUCH_LIMIT, grace);

/**
 * A session that broke while nobody listens on the machine any more: the node is gone now. Where a
 * pause was announced, or this manager itself just started, daemon and mesh may both be on their way.
 */
function refusalCountsAt({ silentSince, grace }: NodeFacts, link: SilentLink): number {
  switch (link) {
    case 'open':
    case 'broken':
      return silentSince;
    case 'goodbye':
    case 'unheard':
      return silentSince + grace;
  }
}

function wait(facts: NodeFacts, link: SilentLink): NodeVerdict {
  const { stored, probe, now, silentSince } = facts;
  const interval = now - silentSince < YOUNG_SILENCE ? QUICK_PROBE : SLOW_PROBE;
  const probeAt = probe.lastEnd === undefined ? now : probe.lastEnd + interval;
  const mayProbe = probe.possible && !probe.underWay;
  const wakeUps = [deadlineOf(facts, link), refusalCountsAt(facts, link), ...(mayProbe ? [probeAt] : [])];
  return {
    ...waitingStatus(facts, link),
    suspect: true,
    lost: false,
    probe: mayProbe && probeAt <= now,
    wakeAt: Math.min(...wakeUps.filter((at) => at > now)),
    reason: probe.vouchedAt === undefined ? 'its agent is out of reach' : 'its mesh vouches for it',
    ...(stored.state === 'down' ? { suspect: false } : {}),
  };
}

function waitingStatus({ stored, probe }: NodeFacts, link: SilentLink): Pick<NodeVerdict, 'state' | 'message'> {
  if (link === 'goodbye' && stored.state !== 'down') {
    return { state: 'disconnected', message: 'its daemon was stopped; its containers run on' };
  }
  if (stored.state !== 'ready' || probe.vouchedAt === undefined) return stored;
  return { state: 'ready', message: 'its daemon does not answer; its mesh says that its containers run' };
}

const settled = (state: NodeState, message: string, reason: string): NodeVerdict => ({
  state,
  message,
  suspect: false,
  lost: state === 'down',
  probe: false,
  reason,
});

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
