import { BaleError, type ErrorKind, errorMessage } from '../core/errors.js';
import { compareVersions, parseApiPath } from './api-path.js';

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
    case 'too-large':
      return 413;
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
  readonly contentType: string;
  readonly body: string;
}

/** Versions before it are told errors as plain text. */
const FIRST_WITH_DOCUMENTS = '1.24';

/** The answer to a request for `url` that failed with `error`: `{"message": …}` and its status. */
export function errorAnswer(error: unknown, url = '/'): ErrorAnswer {
  const status = error instanceof BaleError ? statusOf(error.kind) : 500;
  const message = errorMessage(error);
  const { version } = parseApiPath(url);
  return version !== undefined && compareVersions(version, FIRST_WITH_DOCUMENTS) < 0
    ? { status, contentType: 'text/plain; charset=utf-8', body: `${message}\n` }
    : { status, contentType: 'application/json', body: `${JSON.stringify({ message })}\n` };
}

/** A path or method that the API does not have. */
export const pageNotFound = (): BaleError =>
  new BaleError('page not found', { kind: 'not-found', code: 'BALE_PAGE_NOT_FOUND' });
