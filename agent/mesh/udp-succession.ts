import type { ListenAddress } from './listener-plan.js';

export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

/** What the process that took over a port does for the one that served it so far. */
export interface UdpSuccessor {
  /** Sends a client an answer that it was owed. */
  answer(datagram: Buffer, client: UdpAddress): void;
  /** Serves a datagram of a client that was read, but not delivered. */
  serve(datagram: Buffer, client: UdpAddress): void;
}

/** To the process that served so far, from one that it started and that leads now. */
export type UdpTakeoverMessage =
  | { readonly kind: 'take-udp' }
  /** The socket is read now. */
  | ({ readonly kind: 'udp-taken' } & ListenAddress);

/** The other direction. */
export type UdpHandoverMessage =
  /** Carries the socket, which both read until it is taken. */
  | ({ readonly kind: 'udp-socket' } & ListenAddress)
  /** No more sockets come. */
  | { readonly kind: 'udp-offered' }
  | UdpPassedOn;

/** For a port that was taken: see UdpSuccessor. */
export interface UdpPassedOn extends UdpAddress, ListenAddress {
  readonly kind: 'udp-answer' | 'udp-datagram';
  /** base64 */
  readonly datagram: string;
}

// The kind tells the rest: both ends are of one program.
export const isTakeoverMessage = (message: unknown): message is UdpTakeoverMessage =>
  hasKind(message, ['take-udp', 'udp-taken']);

export const isHandoverMessage = (message: unknown): message is UdpHandoverMessage =>
  hasKind(message, ['udp-socket', 'udp-offered', 'udp-answer', 'udp-datagram']);

const hasKind = (message: unknown, kinds: readonly string[]): boolean =>
  typeof message === 'object' && message !== null && 'kind' in message && kinds.includes(String(message.kind));
