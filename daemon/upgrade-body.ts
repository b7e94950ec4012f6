import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BaleError } from '../core/errors.js';

/** What follows the head of an upgrade: its body, and what the client sent behind it. */
export interface FramedBody {
  readonly body: Buffer;
  readonly rest: Buffer;
}

/** Bodies of exec and attach are a few switches. */
const LONGEST_BODY = 64 * 1024;
const CRLF = '\r\n';

/**
 * Reads the body of an upgrade from its connection, as its headers frame it, and not a byte beyond: what
 * comes behind it might be another request, which an Engine that declines the upgrade would answer.
 * Throws BALE_BODY_INVALID.
 */
export async function readUpgradeBody(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<FramedBody> {
  let bytes = head;
  for (;;) {
    const framed = frameBody(request.headers, bytes);
    if (framed !== undefined) return framed;
    if (bytes.length > LONGEST_BODY) throw invalid(`it has more than ${LONGEST_BODY} bytes`);
    bytes = Buffer.concat([bytes, await nextChunk(socket)]);
  }
}

/** Takes the body off the front of `bytes`; undefined while it is not there whole. */
export function frameBody(headers: IncomingMessage['headers'], bytes: Buffer): FramedBody | undefined {
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked') throw invalid('its transfer encoding is not chunked');
    return chunkedBody(bytes);
  }
  const length = Number(headers['content-length'] ?? '0');
  if (!Number.isSafeInteger(length) || length < 0 || length > LONGEST_BODY) {
    throw invalid(`its length must be at most ${LONGEST_BODY} bytes`);
  }
  return bytes.length < length ? undefined : { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function chunkedBody(bytes: Buffer): FramedBody | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf(CRLF, at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9A-Fa-f]{1,5}$/.test(line)) throw invalid('one of its chunks has no length');
    const size = Number.parseInt(line, 16);
    const end = lineEnd + CRLF.length + size;
    if (bytes.length < end + CRLF.length) return undefined;
    if (bytes.toString('latin1', end, end + CRLF.length) !== CRLF) throw invalid('one of its chunks does not end');
    if (size === 0) return { body: Buffer.concat(parts), rest: bytes.subarray(end + CRLF.length) };
    parts.push(bytes.subarray(lineEnd + CRLF.length, end));
    at = end + CRLF.length;
  }
}

/** The next bytes of a paused connection; it is paused again when they are there. */
function nextChunk(socket: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.pause();
      socket.off('data', take).off('end', fail).off('close', fail).off('error', fail);
    };
    const take = (chunk: Buffer): void => {
      settle();
      resolve(chunk);
    };
    const fail = (): void => {
      settle();
      reject(invalid('the connection ended before it was whole'));
    };
    socket.on('data', take).on('end', fail).on('close', fail).on('error', fail);
    socket.resume();
  });
}

const invalid = (what: string): BaleError =>
  new BaleError(`the body of this upgrade cannot be read: ${what}`, { kind: 'invalid', code: 'BALE_BODY_INVALID' });
