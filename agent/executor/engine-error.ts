import { BaleError, errorCode, errorMessage, isAbortError, type ErrorKind } from '../../core/errors.js';

/**
 * An error of dockerode as the rest of the agent sees it. The message is the Engine's own text; an
 * Engine that gave no answer is BALE_ENGINE_UNAVAILABLE. Aborts pass through.
 */
export function engineError(error: unknown): Error {
  if (isAbortError(error) || error instanceof BaleError) return error as Error; // both are Errors
  const status = statusOf(error);
  const text = engineText(error);
  if (status === undefined || status === 503) return engineUnavailable(text, error);
  const { kind, code } = classify(status, text);
  return new BaleError(text, { kind, code, cause: error });
}

export const engineUnavailable = (text: string, cause?: unknown): BaleError =>
  new BaleError(`the Docker Engine does not answer: ${text}`, {
    kind: 'unavailable',
    code: 'BALE_ENGINE_UNAVAILABLE',
    cause,
  });

/** The HTTP status of an answer, or undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

function classify(status: number, text: string): { readonly kind: ErrorKind; readonly code: string } {
  if (status === 404 && /no such image/i.test(text)) return { kind: 'not-found', code: 'BALE_IMAGE_NOT_FOUND' };
  if (status === 404) return { kind: 'not-found', code: 'BALE_CONTAINER_NOT_FOUND' };
  if (status === 409) return { kind: 'conflict', code: 'BALE_CONTAINER_CONFLICT' };
  if (status === 400) return { kind: 'invalid', code: 'BALE_CONTAINER_REFUSED' };
  return { kind: 'internal', code: 'BALE_ENGINE_FAILED' };
}

/** dockerode wraps the Engine's message: `(HTTP code 404) no such container - MESSAGE `. */
function engineText(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'json' in error) {
    const body = error.json;
    if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string') {
      return body.message.trim();
    }
  }
  const text = errorMessage(error).trim();
  // Node's word for a connection that ended within an answer.
  if (text === 'aborted') return 'it closed the connection';
  const wrapped = /^\(HTTP code \d+\) .*? - (.*)$/s.exec(text);
  if (wrapped?.[1] !== undefined) return wrapped[1].trim();
  return text === '' ? (errorCode(error) ?? 'unknown error') : text;
}
