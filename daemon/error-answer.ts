import { BaleError, type ErrorKind, errorMessage } from '../core/errors.js';

/** The Engine's own mapping of causes to statuses. */
export function statusOf(kind: ErrorKind): number {
  switch (kind) {
    case 'invalid':
    case 'failed-precondition':
      return 400;
    case 'unauthenticated':
      return 401;
    case 'forbidden':
      return 403;
    case 'not-found':
      return 404;
    case 'conflict':
      return 409;
    case 'unimplemented':
      return 501;
    case 'unavailable':
      return 503;
    case 'out-of-sequence':
    case 'internal':
      return 500;
  }
}

export interface ErrorAnswer {
  readonly status: number;
  readonly body: string;
}

/** The answer to a request that failed with `error`: `{"message": …}` and its status. */
export function errorAnswer(error: unknown): ErrorAnswer {
  return {
    status: error instanceof BaleError ? statusOf(error.kind) : 500,
    body: `${JSON.stringify({ message: errorMessage(error) })}\n`,
  };
}

/** A path or method that the API does not have. */
export const pageNotFound = (): BaleError =>
  new BaleError('page not found', { kind: 'not-found', code: 'BALE_PAGE_NOT_FOUND' });
