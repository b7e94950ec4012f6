/**
 * What went wrong, as a caller may act on it. Each kind maps to one HTTP status (daemon) and one
 * gRPC status (proto); the mapping is the Engine's own (swarm.md 1.12).
 */
export type ErrorKind =
  | 'invalid' // the request is wrong whatever the state: 400
  | 'failed-precondition' // the request is fine, the state forbids it: 400
  | 'unauthenticated' // 401
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'conflict' // 409
  | 'out-of-sequence' // lost a compare-and-swap: 500, as clients of the Engine expect
  | 'too-large' // a body beyond the limit: 413
  | 'unimplemented' // 501
  | 'unavailable' // 503
  | 'internal'; // 500

export interface ErrorDetails {
  readonly kind: ErrorKind;
  /** Stable and documented in docs/errors.md, e.g. `BALE_JOIN_TOKEN_INVALID`. Tools may match on it. */
  readonly code: string;
  readonly cause?: unknown;
}

/** Every error that reaches a user. The message says what was wrong, with which value, and what to do. */
export class BaleError extends Error {
  override readonly name = 'BaleError';
  readonly kind: ErrorKind;
  readonly code: string;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = details.kind;
    this.code = details.code;
  }
}

export const isBaleError = (error: unknown, code?: string): error is BaleError =>
  error instanceof BaleError && (code === undefined || error.code === code);

/** Abort is an ordinary outcome: whoever aborted knows why. */
export const isAbortError = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || errorCode(error) === 'ABORT_ERR');

/** The `code` of a Node system error (`ENOENT`, `ECONNREFUSED`…), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything thrown, for a log line or an explanation. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
