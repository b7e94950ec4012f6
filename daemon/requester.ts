import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ClientRole } from '../proto/client-certificate.js';

/** Who sent a request to the API. */
export type Requester =
  /** Whoever may open the daemon's unix socket, which is root and the group docker. */
  | { readonly kind: 'socket' }
  /** The holder of a client certificate that is neither expired nor revoked. */
  | { readonly kind: 'certificate'; readonly name: string; readonly role: ClientRole };

/**
 * By connection: it is the connection that was authenticated, and no request can change that. The
 * listener that accepted it says whose it is; a connection that nobody vouched for has no requester.
 */
const requesters = new WeakMap<Duplex, Requester>();

/** To be called by the listener that accepted `connection`, before its first request is read. */
export function setRequester(connection: Duplex, requester: Requester): void {
  requesters.set(connection, requester);
}

/** Absent for a connection that no listener has vouched for. */
export const knownRequester = (connection: Duplex): Requester | undefined => requesters.get(connection);

/** Who sent this request. Throws for a connection that no listener has vouched for. */
export function requesterOf({ socket }: Pick<IncomingMessage, 'socket'>): Requester {
  const requester = requesters.get(socket);
  if (requester === undefined) throw new Error('a request came over a connection that no listener vouched for');
  return requester;
}

/** For messages and records: `unix socket`, or `certificate alice (operator)`. */
export function requesterText(requester: Requester): string {
  switch (requester.kind) {
    case 'socket':
      return 'unix socket';
    case 'certificate':
      return `certificate ${requester.name} (${requester.role})`;
  }
}
