import type { IncomingMessage } from 'node:http';
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
  if (type !== 'application/json') throw contentTypeRefused(contentType);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`invalid JSON: ${withoutQuote(errorMessage(error))}`);
  }
}

/** The Engine's words for a body of another type than JSON. */
export function contentTypeRefused(contentType: string | undefined): BaleError {
  const header = (contentType ?? '').slice(0, LONGEST_SHOWN);
  const type = header.split(';')[0]?.trim().toLowerCase() ?? '';
  return invalid(
    type === ''
      ? `malformed Content-Type header (${header}): mime: no media type`
      : `unsupported Content-Type header (${type}): must be 'application/json'`,
  );
}

const LONGEST_SHOWN = 100;

/** What V8 quotes of a document may be a secret. */
const withoutQuote = (message: string): string =>
  message.replace(/,? ?(\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, ' where it must not be');

const TOO_LARGE = 'BALE_BODY_TOO_LARGE';

export const bodyTooLarge = (): BaleError =>
  new BaleError(`the request body is larger than ${BODY_LIMIT / 1024 / 1024} MiB`, {
    kind: 'too-large',
    code: TOO_LARGE,
  });

export const isBodyTooLarge = (error: unknown): boolean => error instanceof BaleError && error.code === TOO_LARGE;

/** The most that is read of a body that was refused. */
const MOST_DRAINED = 256 * 1024 * 1024;

/**
 * Reads on to the end of a refused body, and throws it away: a client that is still writing when its
 * connection is closed would see that, and not the answer.
 */
export function drain(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    if (request.readableEnded || request.destroyed) {
      resolve();
      return;
    }
    const done = (): void => {
      resolve();
    };
    let read = 0;
    request.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read > MOST_DRAINED) done();
    });
    request.once('end', done).once('close', done).once('error', done);
    request.resume();
  });
}

const invalid = (message: string): BaleError => new BaleError(message, { kind: 'invalid', code: 'BALE_BODY_INVALID' });
