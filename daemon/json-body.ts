import { BaleError, errorMessage } from '../core/errors.js';

/** No document of the cluster API comes near it; a larger body is refused before it is read whole. */
export const BODY_LIMIT = 4 * 1024 * 1024;

/**
 * A request body as JSON. Throws BALE_BODY_INVALID with the Engine's words for a body that is absent,
 * of another type or no JSON.
 */
export function parseJsonBody(contentType: string | undefined, body: Uint8Array | undefined): unknown {
  if (body === undefined || body.byteLength === 0) throw invalid('invalid JSON: got EOF while reading request body');
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === '') throw invalid('malformed Content-Type header (): mime: no media type');
  if (type !== 'application/json') {
    throw invalid(`unsupported Content-Type header (${type}): must be 'application/json'`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`invalid JSON: ${errorMessage(error)}`);
  }
}

export const bodyTooLarge = (): BaleError =>
  new BaleError(`the request body is larger than ${BODY_LIMIT / 1024 / 1024} MiB`, {
    kind: 'invalid',
    code: 'BALE_BODY_TOO_LARGE',
  });

const invalid = (message: string): BaleError => new BaleError(message, { kind: 'invalid', code: 'BALE_BODY_INVALID' });
