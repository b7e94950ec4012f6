import { BaleError } from '../../core/errors.js';

const unavailable = (code: string, message: string): BaleError => new BaleError(message, { kind: 'unavailable', code });

/** @param node how users know it, e.g. `h2` */
export const noSession = (node: string): BaleError =>
  unavailable('BALE_NODE_DISCONNECTED', `node ${node} is not connected to this manager`);

export const streamsUnsupported = (node: string): BaleError =>
  unavailable(
    'BALE_STREAMS_UNSUPPORTED',
    `node ${node} offers no streams to its Engine: run the same version of bale there`,
  );

export const streamTimeout = (node: string, ms: number): BaleError =>
  unavailable('BALE_STREAM_TIMEOUT', `node ${node} opened no stream to its Engine within ${ms / 1000} s`);

export const sessionLost = (node: string, cause: string): BaleError =>
  unavailable('BALE_NODE_DISCONNECTED', `the connection to node ${node} is lost: ${cause}`);

/** Said to an agent. Of another node's stream as well: who guesses an id learns nothing. */
export const streamUnknown = (): BaleError =>
  new BaleError('nobody waits for a stream of this id', { kind: 'not-found', code: 'BALE_STREAM_UNKNOWN' });
