import { backoffDelay, type BackoffPolicy } from '../../core/backoff.js';

export type PullVerdict =
  | { readonly kind: 'retry'; /** ms */ readonly delay: number; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string };

const RETRY: BackoffPolicy = { initial: 500, max: 4_000 };
/** The task's restart policy goes on from there, with delays of its own. */
const ATTEMPTS = 4;

/** What a registry that may answer in a moment says, or what is said of it. */
const PASSING =
  /connection (refused|reset)|\bEOF\b|i\/o timeout|TLS handshake timeout|Client\.Timeout|deadline exceeded|no route to host|network is unreachable|toomanyrequests|too many requests|(50[0234]|429) |internal server error|bad gateway|service unavailable|gateway time-?out/i;

/** A name that cannot be looked up: the resolver's own words speak of refused connections, too. */
const UNKNOWN_HOST = /\blookup \S+/;

const REFUSED = /unauthorized|authentication required|no basic auth credentials|denied|forbidden|401|403/i;

/** Whether to ask again, by what the registry or the Engine said. `attempt`: 0 after the first. */
export function judgePullFailure(text: string, attempt: number): PullVerdict {
  if (REFUSED.test(text)) return { kind: 'give-up', reason: 'the registry refused' };
  if (UNKNOWN_HOST.test(text)) return { kind: 'give-up', reason: 'the registry has no address' };
  if (!PASSING.test(text)) return { kind: 'give-up', reason: 'asking again would not help' };
  if (attempt + 1 >= ATTEMPTS) return { kind: 'give-up', reason: `it failed ${ATTEMPTS} times` };
  return { kind: 'retry', delay: backoffDelay(RETRY, attempt), reason: 'the registry may answer in a moment' };
}

/** Whether other credentials may help. */
export const isRefusal = (text: string): boolean => REFUSED.test(text);
