import { backoffDelay, withJitter, type BackoffPolicy } from '../../core/backoff.js';
import { isBaleError } from '../../core/errors.js';

const RETRY: BackoffPolicy = { initial: 100, max: 5_000 };
/** A manager that refuses for good is asked again this seldom, ms: the cluster may change its mind. */
const REFUSED_RETRY = 30_000;
/** A session that lasted this long, ms, was sound: its end is not held against the next attempt. */
const SOUND_SESSION = 5_000;

/** Errors that trying again does not change: this node is not, or no longer, a member; or it is of another version. */
const REFUSALS: ReadonlySet<string> = new Set([
  'BALE_NODE_REMOVED',
  'BALE_NODE_UNKNOWN',
  'BALE_CLUSTER_MISMATCH',
  'BALE_PROTOCOL_VERSION',
  'BALE_CERTIFICATE_REQUIRED',
  'BALE_CERTIFICATE_EXPIRED',
]);

export const isRefusal = (error: Error): boolean =>
  isBaleError(error) && (error.kind === 'forbidden' || error.kind === 'unauthenticated' || REFUSALS.has(error.code));

export interface SessionEnd {
  readonly error: Error;
  /** Attempts in a row that failed before this one. */
  readonly failures: number;
  /** ms from the welcome to the end; 0 when there was no welcome. */
  readonly lasted: number;
  /** 0 up to 1. */
  readonly random: number;
}

export interface NextAttempt {
  readonly delay: number;
  readonly failures: number;
  readonly refused: boolean;
  readonly reason: string;
}

/** When to try again after a session ended, or could not be opened. */
export function nextAttempt({ error, failures, lasted, random }: SessionEnd): NextAttempt {
  if (isRefusal(error)) {
    const delay = withJitter(REFUSED_RETRY, random);
    return { delay, failures: failures + 1, refused: true, reason: 'the cluster refuses this node' };
  }
  const counted = lasted >= SOUND_SESSION ? 0 : failures;
  return {
    delay: withJitter(backoffDelay(RETRY, counted), random),
    failures: counted + 1,
    refused: false,
    reason: lasted > 0 ? 'the session ended' : 'no session could be opened',
  };
}
