import type { RequestOptions } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { BaleError, errorMessage, isBaleError } from '../core/errors.js';
import { engineUnreachable } from './engine-client.js';

/** The Engine that a request is handed on to. */
export interface Upstream {
  /** Where its connection comes from: one for each request. */
  readonly connection: Pick<RequestOptions, 'socketPath' | 'agent' | 'createConnection'>;
  /** The same, for a connection whose two directions end by themselves. */
  readonly halfOpen: Pick<RequestOptions, 'createConnection'>;
  /** What a client is told when there is no answer. */
  explain(cause: unknown): BaleError;
}

/** A unix socket costs nothing, and no request can meet a pooled connection that the Engine has just closed. */
export const localEngine = (socketPath: string): Upstream => ({
  connection: { socketPath, agent: false },
  halfOpen: { createConnection: () => connect({ path: socketPath, allowHalfOpen: true }) },
  explain: (cause) => engineUnreachable(socketPath, cause),
});

/** The Engine of another node, over a connection that is already open; for one request. `what` is for messages. */
export function nodeEngine(connection: Duplex, what: string): Upstream {
  // It may break when the request is through with it, and nobody listens any more.
  connection.on('error', () => undefined);
  const dial = { createConnection: () => connection };
  return { connection: dial, halfOpen: dial, explain: (cause) => nodeFailed(what, cause) };
}

/** What a client is told of a failure on the way to another node. */
export const nodeFailed = (what: string, cause: unknown): BaleError =>
  new BaleError(`cannot reach ${what}: ${errorMessage(cause)}`, {
    kind: isBaleError(cause) ? cause.kind : 'unavailable',
    code: isBaleError(cause) ? cause.code : 'BALE_NODE_UNREACHABLE',
    cause,
  });
