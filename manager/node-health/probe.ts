import { connect, constants, type ClientHttp2Session } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { abortError } from '../../core/abort.js';
import { parseHostPort } from '../../core/address.js';
import { errorCode, errorMessage } from '../../core/errors.js';
import type { IdentitySource } from '../../core/identity.js';
import { VOUCH_PATH, type Vouch } from '../../proto/vouch.js';

/** ms for the whole probe, unless given. */
const TIMEOUT = 500;
/** More than any node has tasks, bytes. */
const LARGEST_ANSWER = 1024 * 1024;

export interface ProbeTarget {
  readonly nodeId: string;
  /** host:port */
  readonly meshAddr: string;
}

export type ProbeAnswer =
  | { readonly kind: 'vouch'; readonly vouch: Vouch }
  /** The machine answers and nobody listens there. */
  | { readonly kind: 'refused' }
  /** Nothing that could be believed. */
  | { readonly kind: 'silent'; readonly error: string };

/** Asks the mesh of a node which of its containers live. Rejects only when `signal` aborts. */
export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeAnswer>;

/** A probe over mTLS with the manager's own identity; only the node that is asked can answer it. `timeout`: ms. */
export const meshProbe =
  (identity: IdentitySource, timeout = TIMEOUT): Probe =>
  async (target, signal) => {
    const { privateKey, certificate, trustRoot } = identity.current;
    const socket = connectTls({
      ...parseHostPort(target.meshAddr, { port: 2378 }, 'mesh address'),
      key: privateKey,
      cert: certificate,
      ca: trustRoot,
      minVersion: 'TLSv1.3',
      servername: target.nodeId,
      ALPNProtocols: ['h2'],
    });
    const session = connect(`https://${target.meshAddr}`, { createConnection: () => socket });
    try {
      const vouch = readVouch(await fetchText(session, { timeout, signal }), target.nodeId);
      return vouch === undefined
        ? { kind: 'silent', error: 'its mesh gave an answer that is no vouch' }
        : { kind: 'vouch', vouch };
    } catch (error) {
      signal.throwIfAborted();
      if (isRefused(error)) return { kind: 'refused' };
      return { kind: 'silent', error: errorMessage(error) };
    } finally {
      session.destroy();
      // A session ends its connection in order; one that is still in its handshake would stay for ever.
      socket.destroy();
    }
  };

/** The stream of a connection that failed is told first, with the reason inside. */
const isRefused = (error: unknown): boolean =>
  errorCode(error) === 'ECONNREFUSED' || (error instanceof Error && errorCode(error.cause) === 'ECONNREFUSED');

function fetchText(
  session: ClientHttp2Session,
  { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`its mesh did not answer within ${timeout} ms`));
    }, timeout);
    const onAbort = (): void => {
      reject(abortError());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const fail = (error: Error): void => {
      reject(error);
    };
    session.on('error', fail);
    session.on('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // Nothing after an answer; a connection that closed before one must not be waited for.
      reject(new Error('its mesh closed the connection'));
    });
    const request = session.request({ ':path': VOUCH_PATH });
    const parts: Buffer[] = [];
    let size = 0;
    let status = 0;
    request.on('error', fail);
    request.on('response', (headers) => {
      status = headers[':status'] ?? 0;
    });
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size > LARGEST_ANSWER) reject(new Error('its mesh gave an answer that is too long'));
      else parts.push(part);
    });
    request.on('end', () => {
      if (status === constants.HTTP_STATUS_OK) resolve(Buffer.concat(parts).toString());
      else reject(new Error(`its mesh answered with status ${status}`));
    });
    request.end();
  });
}

/** A vouch of this very node, or undefined for anything else. */
function readVouch(text: string, nodeId: string): Vouch | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const alive = fields.get('alive');
  const dead = fields.get('dead');
  if (fields.get('nodeId') !== nodeId || !isIdList(alive) || !isIdList(dead)) return undefined;
  return { nodeId, alive, dead };
}

const isIdList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((id) => typeof id === 'string');
